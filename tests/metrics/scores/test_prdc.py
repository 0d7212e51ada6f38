"""Precision, recall, density and coverage: the prdc package's formulas, and cases that can be counted by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.metrics import PRDC
from genlab.metrics.scores import prdc


def pairwise(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None] - b, axis=-1)


def of_the_package(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    """`compute_prdc` of github.com/clovaai/generative-evaluation-prdc, from whole matrices in float64."""
    between = pairwise(real, fake)
    real_radius, fake_radius = (np.sort(pairwise(part, part))[:, k] for part in (real, fake))
    inside = between < real_radius[:, None]
    return {
        "precision": inside.any(axis=0).mean(),
        "recall": (between < fake_radius).any(axis=1).mean(),
        "density": inside.sum(axis=0).mean() / k,
        "coverage": (between.min(axis=1) < real_radius).mean(),
    }


@pytest.mark.parametrize(("count", "shift", "rows"), [(300, 0.3, 64), (200, 1.0, 7), (300, 0.0, 500)])
@pytest.mark.parametrize(("k_precision", "k_density"), [(3, 5), (5, 2)])
def test_scores_are_those_of_the_prdc_package(monkeypatch, count, shift, rows, k_precision, k_density):
    monkeypatch.setattr(prdc, "MAX_ROWS", rows)
    monkeypatch.setattr("genlab.metrics.scores.distances.MAX_ROWS", rows)
    source = np.random.default_rng(count)
    real, fake = source.normal(size=(300, 8)), source.normal(size=(count, 8)) * 0.8 + shift
    features = [torch.from_numpy(part).float() for part in (real, fake)]
    found = prdc.prdc(*features, k_precision=k_precision, k_density=k_density)
    expected = {
        name: of_the_package(real, fake, k_density if name in ("density", "coverage") else k_precision)[name]
        for name in found
    }
    assert found == pytest.approx(expected, abs=1e-6)
    assert min(found.values()) > 0.01


def test_scores_of_few_points_can_be_counted_by_hand():
    """On a line, k = 1: balls of the real points 0, 1, 3 reach 1, 1, 2; of the fakes 0.5, 2.5, 9 they reach 2, 2, 6.5.

    0.5 is in the balls of 0 and 1; 2.5 in that of 3; 9 in none. 0 and 1 are near 0.5, 3 is near 2.5.
    """
    real, fake = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.5], [2.5], [9.0]])
    found = prdc.prdc(real, fake, k_precision=1, k_density=1)
    assert found == pytest.approx({"precision": 2 / 3, "recall": 1.0, "density": 1.0, "coverage": 1.0})


def test_one_real_image_again_and_again_is_precise_and_covers_nothing():
    real = torch.randn(100, 8, generator=torch.Generator().manual_seed(0))
    found = prdc.prdc(real, real[:1].repeat(100, 1))
    assert found["precision"] == 1
    assert found["recall"] == 0
    assert found["coverage"] < 0.2


def fed(*batches: torch.Tensor) -> PRDC:
    metric = PRDC()
    for batch in batches:
        metric.update(batch)
    return metric


def test_the_metric_gathers_batches_and_starts_over():
    source = torch.Generator().manual_seed(1)
    real, fake = torch.randn(60, 4, generator=source), torch.randn(50, 4, generator=source)
    reference = SimpleNamespace(features=real)
    metric = fed(*fake.split(20))
    expected = prdc.prdc(real, fake)
    assert metric.compute(reference) == expected
    metric.reset()
    metric.update(fake)
    assert metric.compute(reference) == expected
    assert metric.settings == "k=3 (precision, recall), k=5 (density, coverage)"


def test_a_generator_that_diverged_scores_nan():
    broken = torch.full((50, 4), math.nan)
    assert all(map(math.isnan, fed(broken).compute(SimpleNamespace(features=torch.zeros(60, 4))).values()))


def test_too_few_images_are_the_users_mistake():
    with pytest.raises(ConfigError, match=r"of 5 images: expected more than k=5; raise metrics\.images"):
        fed(torch.zeros(5, 4)).compute(SimpleNamespace(features=torch.zeros(60, 4)))


def test_precision_and_recall_are_those_of_torch_fidelity():
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    source = torch.Generator().manual_seed(2)
    real, fake = torch.randn(300, 8, generator=source).double(), torch.randn(250, 8, generator=source).double() + 0.5
    found = prdc.prdc(real, fake)
    expected = calculate_precision_recall_full(fake, real, neighborhood=3)
    assert (found["precision"], found["recall"]) == pytest.approx(expected, abs=1e-6)
