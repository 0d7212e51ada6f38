"""The birthday test finds a support that is known."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.errors import ConfigError
from genlab.metrics import Birthday


def points(seed: int, count: int) -> torch.Tensor:
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


def measured(fake, real=None, batch=200):
    metric = Birthday(batch)
    metric.update(fake)
    return metric.compute(SimpleNamespace(features=points(1, 2_000) if real is None else real))


@pytest.mark.parametrize("support", [20, 500, 3_000])
def test_a_known_support_is_found(support):
    drawn = torch.randint(support, (16_000,), generator=torch.Generator().manual_seed(2))
    found = measured(points(3, support)[drawn])
    assert found["birthday_support"] == pytest.approx(support, rel=0.25)
    assert found["birthday_collisions"] == pytest.approx(199 * 100 / support, rel=0.25)


def test_real_images_reach_what_the_docstring_says():
    """Half their batches hold a pair as near: log 2 pairs a batch, if these fall like rare events."""
    found = measured(points(4, 40_000), points(5, 40_000))
    assert found["birthday_support"] == pytest.approx(199 * 100 / math.log(2), rel=0.3)


def test_too_few_images_and_nan():
    with pytest.raises(ConfigError, match=r"birthday test of 150 images: expected a batch of 200"):
        measured(points(0, 150))
    assert all(map(math.isnan, measured(points(0, 300) * math.nan).values()))
