"""The modes for styles and noise, compared with the generator itself."""

import pytest
import torch

import genlab
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.sampling import Directions, Grid, Noise, Request, StyleMixing, Truncation
from genlab.sampling.styles import using_noise
from tests.conftest import narrow, saved, styled
from tests.sampling.test_modes import cells


@pytest.fixture
def loaded(style_based):
    return genlab.load(style_based, device="cpu")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return styled(tmp_path_factory.mktemp("told"), "model.conditional=true").run_dir


def test_styles_make_the_same_pictures_as_their_latents(loaded):
    z = loaded.latent(5)
    styles = loaded.styles(z)
    assert styles.shape == (5, 6, 6) and torch.equal(loaded.synthesise(styles), loaded.sample(5))


def test_styles_know_their_class(told):
    loaded = genlab.load(told, device="cpu", batch_size=2)
    z, classes = loaded.latent(5), torch.tensor([3, 1, 4, 1, 5])
    expected = loaded.generate(z, classes=classes)
    torch.testing.assert_close(loaded.synthesise(loaded.styles(z, classes=classes)), expected)
    assert not torch.equal(loaded.styles(z, classes=0), loaded.styles(z, classes=1))


def test_truncation_draws_styles_towards_their_mean(loaded):
    z = loaded.latent(4)
    with loaded.run.sampling() as generator:
        mean, w = generator.mapping.mean, generator.mapping(z)
    assert mean.abs().max() > 0.01  # it has been tracked
    torch.testing.assert_close(loaded.sample(4, truncation=1.0), loaded.sample(4))
    torch.testing.assert_close(loaded.styles(z, truncation=-0.5)[:, 3], mean - 0.5 * (w - mean))
    half = (mean + w) / 2
    torch.testing.assert_close(loaded.sample(4, truncation=0.5), loaded.synthesise(half[:, None].expand(-1, 6, -1)))
    middle = loaded.sample(4, truncation=0.0)
    torch.testing.assert_close(middle, middle[:1].expand_as(middle))
    assert torch.equal(loaded.latent(4, truncation=0.5), z)


def test_a_sweep_of_truncation_has_a_row_a_psi(loaded):
    shown = cells(Truncation(columns=3).draw(loaded, Request(seed=4)), 5, 3)
    for row, psi in zip(shown, (1.0, 0.7, 0.5, 0.0, -0.5), strict=True):
        assert torch.equal(row, to_uint8(loaded.sample(3, seed=4, truncation=psi)))


def test_truncation_of_the_first_layers(loaded):
    z = loaded.latent(3, seed=4)
    with loaded.run.sampling() as generator:
        mean, styles = generator.mapping.mean, loaded.styles(z).clone()
    styles[:, :2] = torch.lerp(mean, styles[:, :2], 0.5)
    picture = Truncation([0.5], columns=3, layers=2).draw(loaded, Request(seed=4))
    assert torch.equal(cells(picture, 1, 3)[0], to_uint8(loaded.synthesise(styles)))
    assert generator.truncated_layers == 6


@pytest.mark.parametrize("model", ["stylegan", "stylegan2", "stylegan3_t"])
def test_all_of_it_is_done_with_published_generators(model, tmp_path):
    loaded = genlab.load(saved(tmp_path, f"model={model}", *narrow(model)).run_dir, device="cpu")
    if hasattr(loaded.run.model.generator, "grow"):
        loaded.run.ema.network.grow(1)
    mixed = cells(StyleMixing(rows=1, columns=2).draw(loaded, Request()), 4, 3)
    assert torch.equal(mixed[0, 1:], to_uint8(loaded.sample(3))[1:])
    for mode in (Truncation(columns=2), Directions(rows=2, columns=3)):
        assert mode.draw(loaded, Request()).shape[0] == 1
    with using_noise(loaded, "none"):
        assert loaded.sample(1).isfinite().all()


def test_other_generators_have_no_styles(plain):
    loaded = genlab.load(plain, device="cpu")
    with pytest.raises(ConfigError, match="is for style-based generators, such as model=stylegan2"):
        loaded.styles(loaded.latent(1))
    with pytest.raises(ConfigError, match="mode=style_mixing: is for style-based"):
        StyleMixing().check(loaded, Request())


def test_a_table_mixes_styles_of_two_samples(loaded):
    shown = cells(StyleMixing(rows=2, columns=3, cuts=[1, 4]).draw(loaded, Request(seed=3)), 7, 4)
    z = loaded.latent(5, seed=3)
    images, styles = to_uint8(loaded.sample(5, seed=3)), loaded.styles(z)
    assert torch.equal(shown[0, 1:], images[2:]) and (shown[0, 0] == 128).all()
    for group, layers in enumerate([(0,), (1, 2, 3), (4, 5)]):
        for row in range(2):
            cell = styles[row : row + 1].clone()
            cell[:, layers] = styles[4:, layers]  # of the third sample along the top
            line = shown[1 + 2 * group + row]
            assert torch.equal(line[0], images[row]) and torch.equal(line[3], to_uint8(loaded.synthesise(cell))[0])


def test_cuts_are_thirds_or_must_fit(loaded):
    assert StyleMixing().layer_groups(6) == [(0, 2), (2, 4), (4, 6)]
    assert StyleMixing().layer_groups(10) == [(0, 3), (3, 7), (7, 10)]
    with pytest.raises(ConfigError, match=r"mode.cuts=\[4,8\]: this generator has 6 layers"):
        StyleMixing(cuts=[4, 8]).draw(loaded, Request())


def test_samples_of_other_classes_are_mixed(told):
    loaded = genlab.load(told, device="cpu")
    shown = cells(StyleMixing(rows=1, columns=2).draw(loaded, Request(classes=[3, 8])), 4, 3)
    assert torch.equal(shown[0, 1:], to_uint8(loaded.sample(3, classes=[3, 8]))[1:])


def test_noise_is_none_fixed_or_random_and_deviates(loaded):
    columns = cells(Noise(rows=2, random=2, draws=20).draw(loaded, Request()), 2, 5).transpose(0, 1)
    none, fixed, first, second, deviation = columns.int()
    z = loaded.latent(2)
    assert torch.equal(fixed.to(torch.uint8), to_uint8(loaded.generate(z)))
    assert (first - second).abs().max() > 10 and (first - none).abs().max() > 10 and (fixed - none).abs().max() > 10
    assert deviation.max() == 255
    assert torch.equal(loaded.generate(z), loaded.sample(2))  # noise is fixed again


def test_the_deviation_is_that_over_random_noise(loaded):
    z = loaded.latent(2)
    found = Noise(draws=400).deviation(loaded, z, None)
    with using_noise(loaded, "random", "elsewhere"):
        expected = torch.stack([loaded.generate(z) for _ in range(400)]).std(0)
    error = ((found - expected) / expected).square().mean().sqrt()
    assert error < 0.08  # each of the two is off by 1 / sqrt(800) itself


def test_random_noise_is_repeated_and_leaves_the_global_generator_alone(loaded):
    before = torch.get_rng_state()
    grids = [Grid(rows=1, columns=2, noise=mode).draw(loaded, Request()) for mode in ("random", "random", "fixed")]
    assert torch.equal(grids[0], grids[1]) and not torch.equal(grids[0], grids[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_where_there_is_none_is_refused(plain):
    loaded = genlab.load(plain, device="cpu")
    Grid().check(loaded, Request())
    for mode in (Grid(noise="random"), Grid(noise="none"), Noise()):
        with pytest.raises(ConfigError, match="adds no noise to its maps"):
            mode.check(loaded, Request())
