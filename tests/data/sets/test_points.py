"""Point sets: their laws, and that a seed decides them."""

import math

import numpy as np
import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.data.sets.points import Blobs, Ring, Square, SwissRoll, TwoMoons

EVERY = [Ring(points=5_000), Square(points=5_000), SwissRoll(points=5_000), TwoMoons(points=5_000)]
EVERY += [Blobs([[-1.5, -1.0], [0.0, 1.5], [1.5, -0.5]], 0.2, points=5_000)]
NAMES = ["ring8", "grid25", "swiss_roll", "two_moons", "blobs"]


@pytest.mark.parametrize(("data", "name"), list(zip(EVERY, NAMES, strict=True)), ids=NAMES)
def test_they_are_points_that_networks_can_reach(data, name):
    assert data.name == name
    assert data.train.images.shape == (5_000, 2) and data.train.images.dtype == torch.float32
    assert data.test.images.shape == (10_000, 2)
    assert data.spec.shape == (2,) and data.spec.height is None and data.spec.scale == data.scale
    assert 0.6 < data.train.images.abs().max() / data.scale < 1
    assert data.spec.class_count == (None if data.train.labels is None else int(data.train.labels.max()) + 1)


@pytest.mark.parametrize("cls", [Ring, Square, SwissRoll, TwoMoons])
def test_the_seed_decides(cls):
    one, same, other = (cls(points=500, test_points=100, seed=seed) for seed in (3, 3, 4))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert torch.equal(one.test.images, same.test.images)
    assert not torch.equal(one.train.images[:100], one.test.images)


def test_the_global_random_state_does_not_decide():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    Ring(points=100)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_ring_and_the_grid_are_where_they_were_published():
    ring, grid = Ring(points=10).modes, Square(points=10).modes
    assert len(ring.centres) == 8 and ring.std == 0.02
    torch.testing.assert_close(ring.centres.norm(dim=1), torch.full((8,), 2.0))
    torch.testing.assert_close(ring.centres[1], torch.tensor([math.sqrt(2), math.sqrt(2)]))
    assert {tuple(centre) for centre in grid.centres.tolist()} == {
        (x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)
    }
    assert grid.std == 0.05


@pytest.mark.parametrize("data", [EVERY[0], EVERY[1], EVERY[4]], ids=["ring8", "grid25", "blobs"])
def test_a_mixture_is_a_mixture_of_its_gaussians(data):
    points, labels = data.train
    shares = labels.bincount() / len(labels)
    kinds = len(data.modes.centres)
    assert (shares - 1 / kinds).abs().max() < 5 * (1 / kinds / 5_000) ** 0.5
    standard = (points - data.modes.centres[labels]) / data.modes.std
    assert standard.mean(0).abs().max() < 0.06
    np.testing.assert_allclose(np.cov(standard.T), np.eye(2), atol=0.1)


def test_the_roll_is_a_spiral():
    """Without noise the radius is the angle over 7.5, from 1.5 pi to 4.5 pi."""
    points = SwissRoll(noise=0.0, points=2_000).train.images
    angle = 7.5 * points.norm(dim=1)
    assert 1.5 * math.pi <= angle.min() + 1e-5 and angle.max() <= 4.5 * math.pi + 1e-5
    torch.testing.assert_close(
        points, angle.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], 1) / 7.5, atol=1e-5, rtol=0
    )
    uniform = (angle / math.pi - 1.5) / 3
    assert uniform.mean() == pytest.approx(0.5, abs=0.03)


def test_the_moons_are_two_half_circles():
    points, labels = TwoMoons(noise=0.0, points=1_000).train
    upper, lower = points[labels == 0], points[labels == 1]
    for moon, centre in ((upper, [-0.5, -0.25]), (lower, [0.5, 0.25])):
        torch.testing.assert_close((moon - torch.tensor(centre)).norm(dim=1), torch.ones(len(moon)))
    assert upper[:, 1].min() >= -0.25 and lower[:, 1].max() <= 0.25


def test_few_points_change_no_classes():
    assert Ring(points=2).spec.class_count == 8


@pytest.mark.parametrize("centres", [[], [[]], [[0.0, 1.0], [2.0]]])
def test_centres_that_are_no_points_are_an_error(centres):
    with pytest.raises(ConfigError, match=r"data\.centres=.*as in \[\[-1, 0\], \[1, 0\]\]"):
        Blobs(centres, 0.1)
