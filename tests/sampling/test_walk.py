"""Loops, against the spline's matrix and the sphere."""

import numpy as np
import pytest
import torch
from PIL import Image

import genlab
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.models.latent import slerp
from genlab.sampling import Request, Walk
from genlab.sampling.films import spline_point
from tests.conftest import narrow, saved
from tests.sampling.test_modes import cells


def points(count=5, size=7):
    return torch.randn(count, 3, size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_a_straight_loop_is_catmull_and_roms():
    stops, share = points(), 0.3
    matrix = torch.tensor([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]).double() / 2
    powers = torch.tensor([1, share, share**2, share**3]).double()
    expected = torch.einsum("i,ij,jnd->nd", powers, matrix, stops[[3, 4, 0, 1]])
    torch.testing.assert_close(spline_point(stops, torch.lerp, 4 + share), expected)


@pytest.mark.parametrize("between", [torch.lerp, slerp])
def test_loops_meet_their_stops_without_a_corner(between):
    stops, small = points(), 1e-5
    for stop in range(5):
        before, at, after = (spline_point(stops, between, (stop + step) % 5) for step in (-small, 0.0, small))
        torch.testing.assert_close(at, stops[stop])
        torch.testing.assert_close((after - at) / small, (at - before) / small, rtol=0, atol=1e-3)
        assert (after - at).norm(dim=1).min() > 0.1 * small


def test_arcs_keep_to_the_sphere():
    stops = torch.nn.functional.normalize(points(), dim=2)
    for place in np.linspace(0, 4.99, 17):
        torch.testing.assert_close(spline_point(stops, slerp, place).norm(dim=1), torch.ones(3).double())


@pytest.mark.parametrize("space", ["z", "w"])
def test_a_strip_shows_the_samples_that_it_visits(style_based, tmp_path, space):
    loaded = genlab.load(style_based, device="cpu")
    options = {"space": space, "truncation": 0.5}
    Walk(rows=2, columns=6, stops=3, **options).write(loaded, Request(seed=1), tmp_path / "a.png")
    picture = torch.from_numpy(np.array(Image.open(tmp_path / "a.png")))[None]
    samples = to_uint8(loaded.sample(6, seed=1, truncation=0.5)).unflatten(0, (3, 2)).transpose(0, 1)
    assert (cells(picture, 2, 6)[:, ::2].int() - samples.int()).abs().max() <= 1


def test_w_is_where_styles_go_straight(style_based):
    loaded = genlab.load(style_based, device="cpu")
    place = Walk(stops=2).spline_images(loaded, Request(), 1)
    styles = loaded.styles(loaded.latent(2))
    torch.testing.assert_close(place(0.5), loaded.synthesise(styles.mean(0, keepdim=True)))


def test_a_loop_keeps_its_class_and_is_filmed(conditional, tmp_path):
    loaded = genlab.load(conditional, device="cpu")
    walk = Walk(rows=1, columns=2, stops=2, steps=3, rate=10)
    place = walk.spline_images(loaded, Request(classes=[4, 7]), 2)
    torch.testing.assert_close(place(1.0), loaded.generate(loaded.latent(4)[2:], classes=[4, 7]))
    walk.write(loaded, Request(classes=[4, 7]), tmp_path / "a.gif")
    assert Image.open(tmp_path / "a.gif").n_frames == 6


def test_what_cannot_be_walked_in_is_refused(plain, tmp_path):
    loaded = genlab.load(plain, device="cpu")
    with pytest.raises(ConfigError, match="mode.space=w: is for style-based"):
        Walk(space="w").check(loaded, Request())
    with pytest.raises(ConfigError, match="mode.truncation=0.5: is for style-based"):
        Walk(truncation=0.5).check(loaded, Request())
    codes = genlab.load(saved(tmp_path, "model=vqvae", *narrow("vqvae")).run_dir, device="cpu")
    with pytest.raises(ConfigError, match="mode=walk: nothing lies between two"):
        Walk().check(codes, Request())
