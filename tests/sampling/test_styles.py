"""What is done with the styles of a style-based generator, against the generator itself."""

import pytest
import torch

import genlab
from genlab.callbacks.grid import to_uint8
from genlab.errors import ConfigError
from genlab.sampling import Asked, Truncation
from tests.conftest import styled
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
    with loaded.trainer.sampling() as generator:
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
    shown = cells(Truncation(columns=3).draw(loaded, Asked(seed=4)), 5, 3)
    for row, psi in zip(shown, (1.0, 0.7, 0.5, 0.0, -0.5), strict=True):
        assert torch.equal(row, to_uint8(loaded.sample(3, seed=4, truncation=psi)))


def test_other_generators_have_no_styles(plain):
    loaded = genlab.load(plain, device="cpu")
    with pytest.raises(ConfigError, match="is for style-based generators, such as model=stylegan2"):
        loaded.styles(loaded.latent(1))
