"""Instance noise: its law, and how its strength falls over the run."""

import pytest
import torch

from genlab.core.random import Draws
from genlab.data.augment import InstanceNoise

DRAWS = Draws((0, "test", 0), 64, 0, 64, torch.device("cpu"))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 16), (2,)])
def test_noise_is_normal_and_independent_of_the_images(shape):
    x = torch.full((64, *shape), 0.25)
    noise = InstanceNoise(std=0.2)(x, DRAWS, 0.0) - x
    torch.testing.assert_close(noise, 0.2 * DRAWS.normal("instance_noise", *shape), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("fall", "at", "std"),
    [
        ("linear", 0.0, 0.4), ("linear", 0.25, 0.2), ("linear", 0.45, 0.04), ("linear", 0.5, 0.0), ("linear", 1.0, 0.0),
        ("geometric", 0.0, 0.4), ("geometric", 0.25, 0.4 * 0.001**0.5), ("geometric", 0.5, 0.0),
    ],
)  # fmt: skip
def test_the_standard_deviation_falls_to_zero(fall, at, std):
    assert InstanceNoise(std=0.4, until=0.5, fall=fall).std_at(at) == pytest.approx(std)


def test_a_geometric_fall_loses_the_same_share_in_the_same_time():
    noise = InstanceNoise(fall="geometric", until=1.0)
    ratios = [noise.std_at(at + 0.1) / noise.std_at(at) for at in (0.0, 0.3, 0.8)]
    assert ratios == pytest.approx([0.001**0.1] * 3)


def test_nothing_is_drawn_when_it_is_over():
    x = torch.zeros(64, 1, 4, 4)
    assert InstanceNoise(until=0.0)(x, DRAWS, 0.0) is x
    assert InstanceNoise()(x, DRAWS, 0.5) is x


def test_gradients_pass_and_the_layout_stays():
    x = torch.zeros(64, 3, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    shown = InstanceNoise()(x, DRAWS, 0.0)
    shown.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x)) and shown.is_contiguous(memory_format=torch.channels_last)
