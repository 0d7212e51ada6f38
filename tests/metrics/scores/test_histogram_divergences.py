"""Divergences against scipy, and where shares are zero."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from genlab.metrics.scores.histogram_divergences import js_divergence, kl_divergence, shares


def histogram(seed: int) -> torch.Tensor:
    counts = np.random.default_rng(seed).integers(0, 5, 30)
    return torch.from_numpy(counts)


def test_shares_sum_to_one():
    assert shares(torch.tensor([1, 0, 3])).tolist() == [0.25, 0, 0.75]
    assert shares(torch.tensor([1, 0, 3]), 0.5).tolist() == pytest.approx([1.5 / 5.5, 0.5 / 5.5, 3.5 / 5.5])


@pytest.mark.parametrize("seed", range(3))
def test_divergences_are_scipys(seed):
    p, q = shares(histogram(seed)), shares(histogram(seed + 10), 0.5)
    assert kl_divergence(p, q) == pytest.approx(entropy(p.numpy(), q.numpy()), rel=1e-12)
    rough = shares(histogram(seed + 10))
    assert js_divergence(p, rough) == pytest.approx(jensenshannon(p.numpy(), rough.numpy()) ** 2, rel=1e-12)


def test_a_missing_bin_is_infinite_one_way_and_finite_the_other():
    half, whole = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.5, 0.5]).double()
    assert kl_divergence(whole, half) == math.inf
    assert kl_divergence(half, whole) == pytest.approx(math.log(2))
    assert js_divergence(half, half.flip(0)) == pytest.approx(math.log(2))
