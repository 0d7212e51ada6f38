"""Modes counted by hand, and by the laws that the samples are drawn from."""

import math
from types import SimpleNamespace

import pytest
import torch

from genlab.data.sets.points import Modes, Ring, Square
from genlab.metrics.scores.modes import ClassCoverage, ClassModes, MixtureModes, nearest_modes


def found_in(points: torch.Tensor, modes: Modes | None, **options) -> dict[str, float]:
    metric = MixtureModes(**options)
    metric.update(points)
    return metric.compute(SimpleNamespace(modes=modes))


TWO = Modes(torch.tensor([[0.0, 0.0], [10.0, 0.0]]), 1.0)


def test_a_mode_is_found_by_one_sample_within_three_deviations():
    near, far = [0.0, 2.9], [10.0, 3.1]
    assert found_in(torch.tensor([near, far, far, far]), TWO) == {"modes": 1, "high_quality": 0.25}
    assert found_in(torch.tensor([near, far]), TWO, deviations=3.2) == {"modes": 2, "high_quality": 1}


def test_samples_count_for_the_nearest_centre_alone():
    wide = Modes(TWO.centres, 3.0)  # both centres are within three deviations
    assert found_in(torch.tensor([[4.0, 0.0]]), wide) == {"modes": 1, "high_quality": 1}


@pytest.mark.parametrize(("data", "modes"), [(Ring(points=2_500), 8), (Square(points=2_500), 25)])
def test_real_points_find_all_modes_and_are_of_high_quality(data, modes):
    """A 2-D Gaussian lies within three deviations with probability 1 - exp(-9/2)."""
    found = found_in(data.train.images, data.modes)
    share = 1 - math.exp(-4.5)
    assert found["modes"] == modes
    assert found["high_quality"] == pytest.approx(share, abs=4 * (share * (1 - share) / 2_500) ** 0.5)


def test_a_collapsed_generator_finds_one_mode():
    data = Ring(points=10)
    assert found_in(data.modes.centres[:1].repeat(100, 1), data.modes) == {"modes": 1, "high_quality": 1}


def test_nan_is_of_no_quality_and_finds_nothing():
    assert found_in(torch.full((10, 2), math.nan), TWO) == {"modes": 0, "high_quality": 0}


def test_sets_without_modes_have_none_to_find():
    assert found_in(torch.zeros(5, 2), None) == {}


def test_the_nearest_mode_is_that_of_a_loop():
    data = Square(points=50)
    nearest, distance = nearest_modes(data.train.images, data.modes)
    for point, index, length in zip(data.train.images, nearest, distance, strict=True):
        every = (data.modes.centres - point).norm(dim=1)
        assert index == every.argmin() and length == every.min()


def classes_in(seen: torch.Tensor) -> dict[str, float]:
    metric = ClassModes()
    metric.update(seen.unsqueeze(1).float())
    return metric.compute(SimpleNamespace(extractor=SimpleNamespace(labels=lambda features: features[:, 0].long())))


def test_classes_are_counted_and_compared_with_equal_shares():
    """Half the modes, each as often: KL(samples | uniform) = log 2. One mode: log 1000."""
    assert classes_in(torch.arange(0, 1_000, 2).repeat(3)) == pytest.approx({"modes": 500, "reverse_kl": math.log(2)})
    assert classes_in(torch.full((50,), 999)) == pytest.approx({"modes": 1, "reverse_kl": math.log(1_000)})
    assert classes_in(torch.arange(1_000)) == pytest.approx({"modes": 1_000, "reverse_kl": 0}, abs=1e-12)


def test_real_frequencies_leave_what_the_docstring_says():
    """26,000 fair draws of 1,000 modes: (K - 1) / 2N = 0.0192 in expectation."""
    seen = torch.randint(1_000, (26_000,), generator=torch.Generator().manual_seed(0))
    found = classes_in(seen)
    assert found["modes"] == 1_000
    assert found["reverse_kl"] == pytest.approx(999 / 52_000, rel=0.15)


def covered(seen, labels) -> dict[str, float]:
    metric = ClassCoverage()
    metric.update(torch.tensor(seen).unsqueeze(1).float())
    extractor = SimpleNamespace(labels=lambda features: features[:, 0].long())
    classes = None if labels is None else torch.tensor(labels)
    return metric.compute(SimpleNamespace(extractor=extractor, classes=classes))


def test_classes_are_compared_with_the_labels():
    """Half a real image is added to each class; a label of -1 is unknown."""
    labels = [0] * 50 + [1] * 50 + [-1] * 9
    assert covered([0, 1] * 30, labels) == pytest.approx({"classes": 2, "class_kl": 0}, abs=1e-12)
    assert covered([1] * 8, labels) == pytest.approx({"classes": 1, "class_kl": math.log(2)})
    assert covered([2] * 8, labels) == pytest.approx({"classes": 0, "class_kl": math.log(101.5 / 0.5)})


def test_data_without_classes_have_none_to_cover():
    assert covered([1], None) == {}
