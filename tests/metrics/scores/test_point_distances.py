"""Distances between sets of points: brute force, closed forms, scipy."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import entropy, wasserstein_distance_nd

from genlab.data.sets.points import Modes, Ring, SwissRoll
from genlab.metrics import Coordinates, Reference
from genlab.metrics.scores.point_distances import BANDWIDTHS, MMD, Divergences, Wasserstein, gaussian_mmd, grid_counts


def drawn(seed: int, count: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed)) + shift


def score(metric, real: torch.Tensor, fake: torch.Tensor, modes: Modes | None = None) -> dict[str, float]:
    metric.update(fake[:3])
    metric.update(fake[3:])
    return metric.compute(SimpleNamespace(features=real, count=len(real), modes=modes))


def test_w1_is_the_cheapest_of_all_pairings():
    real, fake = drawn(0, 6), drawn(1, 6, 0.5)
    costs = [
        np.mean([(real[i] - fake[j]).norm().item() for i, j in enumerate(order)])
        for order in itertools.permutations(range(6))
    ]
    assert score(Wasserstein(), real, fake)["w1"] == pytest.approx(min(costs), rel=1e-6)


def test_w1_is_scipys():
    real, fake = drawn(2, 40), drawn(3, 40, 1.0)
    expected = wasserstein_distance_nd(real.double().numpy(), fake.double().numpy())
    assert score(Wasserstein(), real, fake)["w1"] == pytest.approx(expected, rel=1e-6)


def test_w1_of_a_shift_is_its_length():
    real = drawn(4, 300)
    moved = real[torch.randperm(300, generator=torch.Generator().manual_seed(5))] + torch.tensor([3.0, -4.0])
    assert score(Wasserstein(), real, moved)["w1"] == pytest.approx(5, rel=1e-5)


def test_w1_takes_as_many_real_points_as_there_are_samples():
    real, fake = drawn(6, 50), drawn(7, 20)
    assert score(Wasserstein(), real, fake) == score(Wasserstein(), real[:20], fake)
    assert score(Wasserstein(), real[:10], fake) == score(Wasserstein(), real[:10], fake[:10])


def by_definition(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Gretton et al. 2012, eq. 3, term by term."""
    distances = [(a - b).norm().item() for a, b in itertools.combinations(real.double(), 2)]
    median = sorted(distances)[(len(distances) - 1) // 2]

    def kernel(a: torch.Tensor, b: torch.Tensor) -> float:
        squared = (a.double() - b.double()).square().sum().item()
        return np.mean([math.exp(-squared / (2 * (width * median) ** 2)) for width in BANDWIDTHS])

    count = len(real)
    within = sum(kernel(a, b) for part in (real, fake) for a, b in itertools.permutations(part, 2))
    between = sum(kernel(a, b) for a in real for b in fake)
    return within / (count * (count - 1)) - 2 * between / count**2


def test_mmd_is_its_definition():
    real, fake = drawn(8, 12), drawn(9, 12, 0.7)
    assert score(MMD(), real, fake)["mmd2"] == pytest.approx(by_definition(real, fake), abs=1e-7)


def test_mmd_has_no_bias():
    """Over draws from one law its mean is zero within three standard errors, and it does go below."""
    values = torch.tensor(
        [gaussian_mmd(drawn(2 * seed, 40).double(), drawn(2 * seed + 1, 40).double()) for seed in range(200)]
    )
    assert values.mean().abs() < 3 * values.std() / 200**0.5
    assert values.min() < 0


def test_mmd_grows_with_the_shift():
    real = drawn(10, 200)
    values = [score(MMD(), real, drawn(11, 200, shift))["mmd2"] for shift in (0.0, 0.3, 1.0, 3.0)]
    assert values == sorted(values) and values[-1] > 0.2


def test_divergences_over_modes_count_the_nearest_centre():
    """Real 2 : 2, generated 4 : 0; half a point is added to what is divided by."""
    modes = Modes(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), 0.1)
    real = torch.tensor([[-1.0, 0.0], [-1.0, 0.1], [1.0, 0.0], [1.0, 0.1]])
    found = score(Divergences(), real, -real[:2].repeat(2, 1), modes)
    assert found["kl"] == pytest.approx(entropy([0.5, 0.5], [0.5 / 5, 4.5 / 5]))
    assert found["reverse_kl"] == pytest.approx(math.log(2))
    assert found["js"] == pytest.approx((entropy([0.5, 0.5], [0.25, 0.75]) + entropy([0, 1], [0.25, 0.75])) / 2)


def test_divergences_over_a_grid_are_those_of_numpys_histogram():
    real, fake = drawn(12, 500), drawn(13, 500, 0.5)
    low, high = real.min(0).values.double().numpy(), real.max(0).values.double().numpy()
    edges = [np.linspace(low[axis], high[axis], 7) for axis in range(2)]
    p, q = (np.histogram2d(*part.double().numpy().T, bins=edges)[0].ravel() for part in (real, fake))
    p, q = np.append(p, 0), np.append(q, 500 - q.sum())
    p, q = p[p + q > 0], q[p + q > 0]
    found = score(Divergences(bins=6), real, fake)
    assert found["kl"] == pytest.approx(entropy(p, q + 0.5), rel=1e-6)
    assert found["reverse_kl"] == pytest.approx(entropy(q, p + 0.5), rel=1e-6)


def test_cells_of_the_unit_cube():
    corners = torch.tensor([[0.0, 0.0], [0.49, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.01, 0.5], [0.5, -0.1]])
    assert grid_counts(corners, 2).tolist() == [2, 1, 1, 1, 2]


def test_the_real_points_score_near_zero():
    """Another draw of the same law: what is left is that numbers are finite."""
    data = Ring(points=100, test_points=1_000)
    reference = Reference(data, "test", Coordinates(), batch_size=500)
    fake = Ring(points=1_000, seed=1).train.images
    found = {}
    for metric in (Wasserstein(), MMD(), Divergences()):
        metric.update(fake)
        found |= metric.compute(reference)
    assert 0 < found["w1"] < 0.3
    assert abs(found["mmd2"]) < 5e-3
    assert max(found["kl"], found["reverse_kl"], found["js"]) < 0.02


def test_sets_without_modes_are_binned_by_place():
    data = SwissRoll(points=100, test_points=1_000)
    reference = Reference(data, "test", Coordinates(), batch_size=500)
    metric = Divergences()
    metric.update(data.test.images)
    found = metric.compute(reference)
    assert reference.modes is None and found["js"] == 0 and 0 < found["kl"] < 0.03


@pytest.mark.parametrize("metric", [Wasserstein(), MMD(), Divergences()])
def test_a_generator_that_diverged_scores_nan(metric):
    assert all(map(math.isnan, score(metric, drawn(0, 10), torch.full((10, 2), math.nan)).values()))
