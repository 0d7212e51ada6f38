"""Images in double precision, and the draws that change them."""

import pytest
import torch

from genlab.core.random import Draws


@pytest.fixture
def make_images():
    """Uniform in [-1, 1)."""

    def make(count=4, channels=3, height=9, width=12):
        source = torch.Generator().manual_seed(channels)
        return torch.rand(count, channels, height, width, generator=source, dtype=torch.float64) * 2 - 1

    return make


@pytest.fixture
def make_draws():
    def make(count=4, turn=0, start=0, stop=None, dtype=torch.float64):
        return Draws((0, "test", turn), count, start, stop or count, torch.device("cpu"), dtype)

    return make


@pytest.fixture
def near():
    """Whether a share of many draws is what chance makes of it: within four standard deviations."""

    def check(found, chance):
        spread = 4 * (chance * (1 - chance) / len(found)) ** 0.5
        return abs(found.double().mean().item() - chance) <= spread

    return check
