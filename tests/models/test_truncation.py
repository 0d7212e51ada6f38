"""Truncated latents against the normal distribution, standing statistics against moments taken at once."""

import math

import pytest
import torch
from torch import nn

from genlab.core.random import Draws
from genlab.models.layers.batch_norm import BatchNorm2d
from genlab.models.truncation import Truncated, gather_statistics


def draws(rows=4000):
    return Draws((0, "samples", 0), rows, 0, rows, torch.device("cpu"))


@pytest.mark.parametrize("threshold", [0.04, 0.5, 1.0, 2.0, 50.0])
def test_moments_of_the_truncated_normal(threshold):
    """Variance 1 - 2 t phi(t) / (2 Phi(t) - 1), from its density."""
    z = Truncated(10, threshold).draw(draws())
    density, share = math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi), math.erf(threshold / math.sqrt(2))
    assert z.shape == (4000, 10) and z.abs().max() <= threshold
    assert z.std().item() == pytest.approx(math.sqrt(1 - 2 * threshold * density / share), rel=0.01)
    assert abs(z.mean()) < 0.01 * z.std() * 3


def test_standing_statistics_are_the_moments_of_all_batches():
    network = nn.Sequential(BatchNorm2d(3), nn.Dropout(0.5)).eval()
    network.forward = lambda maps, condition: nn.Sequential.forward(network, maps)
    batches = torch.randn(5, 8, 3, 2, 2) * 3 + 1
    gather_statistics(network, [(batch, None) for batch in batches])
    norm = network[0]
    torch.testing.assert_close(norm.running_mean, batches.mean((0, 1, 3, 4)))
    torch.testing.assert_close(norm.running_var, batches.transpose(1, 2).flatten(2).var(2).mean(0))
    assert not norm.training and norm.momentum == 0.1
