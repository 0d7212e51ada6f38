import pytest
import torch

from genlab.build import instantiate as build
from genlab.callbacks import Encoding, Grid, LatentPlane, Reconstructions
from genlab.callbacks.encoder_statistics import count_active_units
from genlab.callbacks.latent_plane import quantile_grid
from genlab.data import InMemory, Split
from tests.conftest import TINY, composed, tiny_data

PCA = ("model=pca", "trainer.images=null", "model.latent.size=2")
EVERY = (Encoding, LatentPlane, Reconstructions)


@pytest.fixture
def make_trainer(tmp_path):
    """Real trainers: this folder's others only remember."""
    return lambda *words, data=None: build.trainer(composed(*TINY, *words), tmp_path, data or tiny_data())


@pytest.fixture
def published(monkeypatch):
    """What a trainer publishes and shows, by name."""
    found = {}

    def watch(trainer):
        monkeypatch.setattr(trainer, "publish", found.update)
        monkeypatch.setattr(trainer, "show", lambda name, picture: found.update({name: picture}))
        return found

    return watch


def points():
    source = torch.Generator().manual_seed(0)
    rows = torch.randn(500, 2, generator=source) * torch.tensor([3.0, 0.5])
    return InMemory(Split(rows, torch.arange(500) % 3), scale=4.0, name="points")


def test_a_unit_is_active_where_its_mean_varies():
    means = torch.randn(5_000, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 0.11, 0.09])
    assert count_active_units(means) == 2  # variances 1, 0.0121, 0.0081


def test_the_error_of_principal_components_is_the_one_that_they_promise(make_trainer, published):
    trainer = make_trainer(*PCA)
    found = published(trainer)
    trainer.fit()
    Encoding().tick(trainer)
    promised = trainer.statistics.flush()["solution/mean_squared_error"]
    assert found["encoding/mean_squared_error"] == pytest.approx(promised, rel=1e-4)
    assert "encoding/active_units" not in found


def test_a_vaes_active_units_are_published(make_trainer, published):
    trainer = make_trainer("model=vae")
    found = published(trainer)
    Encoding().tick(trainer)
    assert 0 <= found["encoding/active_units"] <= 20


@pytest.mark.parametrize("model", ["vae", "cvae", "vqvae", "aae", "vae_gan", "pca"])
def test_reconstructions_lie_below_their_originals(make_trainer, published, model):
    trainer = make_trainer(f"model={model}")
    found = published(trainer)
    trainer.take_step()
    Reconstructions(rows=2, columns=3).tick(trainer)
    factor = -(-500 // (3 * 8))
    picture = found["reconstructions"]
    assert picture.shape == (1, 4 * 8 * factor + 6, 3 * 8 * factor + 4)
    assert torch.equal(picture[0, : 8 * factor : factor, : 8 * factor : factor], trainer.data.train.images[0, 0])
    assert list((trainer.run_dir / "reconstructions").glob("*.png"))


def test_points_are_joined_with_their_projections(make_trainer, published):
    trainer = make_trainer("model=pca", "trainer.images=null", "model.latent.size=1", data=points())
    found = published(trainer)
    trainer.fit()
    Reconstructions().tick(trainer)
    picture = found["reconstructions"]
    assert picture.shape == (3, 500, 500)
    red = (picture[0].int() - picture[1].int()) > 60
    rows, _ = red.nonzero().unbind(1)
    assert rows.float().std() < 30 and len(rows) > 100  # projections lie on the long axis, nearly level here


def test_a_plane_is_drawn_where_there_are_two_dimensions(make_trainer, published):
    for size, names in ((2, {"plane/codes", "plane/images"}), (3, set())):
        trainer = make_trainer("model=vae", f"model.latent.size={size}")
        found = published(trainer)
        found.clear()
        LatentPlane(side=3).tick(trainer)
        assert set(found) == names


def test_quantiles_run_from_the_upper_left():
    codes = torch.stack([torch.arange(100.0), 10 * torch.arange(100.0)], 1)
    plane = quantile_grid(codes, 2).view(2, 2, 2)
    torch.testing.assert_close(plane[0, 0], torch.tensor([24.75, 742.5]))
    torch.testing.assert_close(plane[1, 1], torch.tensor([74.25, 247.5]))


@pytest.mark.parametrize("callback", EVERY)
def test_a_model_without_an_encoder_is_left_alone(make_trainer, published, callback):
    trainer = make_trainer("model=gan")
    found = published(trainer)
    callback().tick(trainer)
    callback().finish(trainer)
    assert not found


@pytest.mark.parametrize("callback", EVERY)
def test_looking_changes_nothing_that_is_trained(make_trainer, published, callback):
    plain, watched = (make_trainer("model=vqvae", "model.number=8") for _ in range(2))
    published(watched)
    for trainer in (plain, watched):
        for _ in range(2):
            trainer.take_step()
            if trainer is watched:
                callback().tick(trainer)
    states = [trainer.model.state_dict() for trainer in (plain, watched)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_samples_without_a_prior_say_so(make_trainer, published):
    trainer = make_trainer("model=autoencoder", data=tiny_data())
    found = published(trainer)
    Grid(rows=1, columns=2).tick(trainer)
    assert set(found) == {"samples (no prior was trained)"}
    assert [path.name for path in (trainer.run_dir / "samples").iterdir()] == ["000000000_no_prior_was_trained.png"]
