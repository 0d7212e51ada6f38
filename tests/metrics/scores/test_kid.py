"""KID as torch-fidelity computes it, and by its definition."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.metrics import KID


def features(seed: int, count: int, size: int = 16) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + seed / 10


def measured(real, fake, **options) -> dict[str, float]:
    metric = KID(**options)
    metric.update(fake)
    return metric.compute(SimpleNamespace(features=real))


@pytest.mark.parametrize(("subsets", "size"), [(1, 300), (7, 40)])
def test_the_score_is_that_of_torch_fidelity(subsets, size):
    from torch_fidelity.metric_kid import kid_features_to_metric

    real, fake = features(1, 300), features(2, 300)
    found = measured(real, fake, subsets=subsets, subset_size=size)
    options = {"kid_subsets": subsets, "kid_subset_size": size, "rng_seed": 2020, "verbose": False}
    expected = kid_features_to_metric(fake, real, **options)
    assert list(found.values()) == pytest.approx(list(expected.values()), abs=1e-6, rel=1e-9)


def test_the_score_has_no_bias():
    """Two draws of one law: 0 within the deviation of the mean, at 20 images a subset."""
    found = measured(features(0, 4_000), features(0, 4_001)[1:].flip(1), subsets=400, subset_size=20)
    assert abs(found["kid"]) < 4 * found["kid_deviation"] / 20


def test_fewer_images_than_a_subset_are_used_and_said():
    metric = KID(subset_size=1_000)
    metric.update(features(1, 30))
    metric.compute(SimpleNamespace(features=features(2, 50)))
    assert metric.settings == "100 subsets of 30, seed 2020"


def test_nan_gives_nan():
    assert all(map(math.isnan, measured(features(1, 9), torch.full((9, 16), math.nan)).values()))
