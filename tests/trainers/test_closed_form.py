import numpy as np
import pytest
import torch

from genlab.build.preflight import describe
from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from tests.conftest import tiny_data


def test_one_step_looks_at_every_image_once(make_trainer):
    data = tiny_data(images=50)
    trainer = make_trainer("model=pca", "trainer.images=null", "trainer.batch_size=7", "model.latent.size=5", data=data)
    rows = torch.cat(list(trainer.chunks()))
    expected = (data.train.images.double() / 127.5 - 1).flatten(1)
    torch.testing.assert_close(rows.sort(0).values, expected.sort(0).values, atol=1e-6, rtol=0)
    trainer.fit()
    assert (trainer.step, trainer.images) == (1, 50)
    assert dict(describe(trainer))["duration"] == "50 images, 7 at a time"
    torch.testing.assert_close(trainer.model.mean, expected.mean(0).float())


def test_what_was_found_is_published_and_kept(make_trainer):
    trainer, again = (make_trainer("model=pca", "trainer.images=null", "model.latent.size=5") for _ in range(2))
    trainer.fit()
    values = trainer.statistics.flush()
    assert 0 < values["solution/explained_variance"] < 1 and values["solution/mean_squared_error"] > 0
    for name, part in again.parts.items():
        part.load_state_dict(trainer.parts[name].state_dict())
    assert torch.equal(again.samples.draw_samples(0, 3), trainer.samples.draw_samples(0, 3))


def test_samples_are_the_data_sets_gaussian(make_trainer):
    trainer = make_trainer("model=pca", "trainer.images=null", "model.latent.size=2")
    trainer.fit()
    model, samples = trainer.model, trainer.samples.draw_samples(0, 2_000).flatten(1)
    inside = (samples - model.mean) @ model.components.T
    torch.testing.assert_close(inside @ model.components, samples - model.mean, atol=1e-5, rtol=0)
    torch.testing.assert_close(inside.var(0), model.variances, rtol=0.1, atol=0)


def test_the_error_on_points_is_in_the_units_of_the_data(make_trainer):
    """What the second of two directions spreads, per value: numpy's variance of the rows as they are given."""
    rows = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 0.5])
    data = InMemory(Split(rows), scale=4.0, name="points")
    trainer = make_trainer("model=pca", "trainer.images=null", "model.latent.size=1", data=data)
    trainer.fit()
    lost = np.linalg.eigvalsh(np.cov(rows.double().numpy().T, bias=True))[0] / 2
    assert trainer.statistics.flush()["solution/mean_squared_error"] == pytest.approx(lost, rel=1e-4)


def test_fewer_images_may_be_looked_at(make_trainer):
    trainer = make_trainer("model=pca", "trainer.images=10", "model.latent.size=2")
    assert sum(len(rows) for rows in trainer.chunks()) == 10
    with pytest.raises(ConfigError, match="there are 64 images"):
        make_trainer("model=pca", "trainer.images=65")
