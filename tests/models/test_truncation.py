"""Truncated latents against the normal distribution."""

import math

import pytest
import torch

from genlab.core.random import Draws
from genlab.models.latent import Truncated


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
