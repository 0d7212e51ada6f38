"""Truncated grids of a real trainer."""

import pytest
import torch

from genlab.build import instantiate as build
from genlab.callbacks import Truncation
from genlab.core.errors import ConfigError
from genlab.models.latent import Truncated
from tests.conftest import TINY, composed, narrow, tiny_data


@pytest.fixture
def make_trainer(tmp_path):
    return lambda *words: build.trainer(composed(*TINY, *words), tmp_path, tiny_data())


@pytest.mark.parametrize("model", ["dcgan", "biggan"])
def test_grids_of_the_lowest_threshold_are_all_alike_and_training_notices_nothing(make_trainer, model, tmp_path):
    trainer = make_trainer(f"model={model}", *narrow(model))
    trainer.take_step()
    before = {name: tensor.clone() for name, tensor in trainer.ema.network.state_dict().items()}
    callback = Truncation([1e-6, 1.0], batches=10, rows=2, columns=3)
    callback.start(trainer)
    callback.finish(trainer)
    assert {path.name for path in (tmp_path / "samples").iterdir()} == {"truncated_1e-06.png", "truncated_1.png"}
    assert all(torch.equal(before[name], tensor) for name, tensor in trainer.ema.network.state_dict().items())


def test_statistics_are_those_of_the_truncated_batches(make_trainer):
    """Standing statistics: the first normalisation's running mean is the mean over all that went in."""
    trainer = make_trainer("model=gan", *narrow("gan"), "model.generator.widths=[8,8]")
    generator, latent = trainer.ema.network, Truncated(100, 0.5)
    Truncation([0.5], batches=10).sample(trainer, generator, latent)
    z = latent.draw(trainer.samples.fixed_draws(0))
    hidden = generator.layers[:3](z)  # up to the only normalisation
    norm = next(module for module in generator.modules() if isinstance(module, torch.nn.BatchNorm1d))
    torch.testing.assert_close(norm.running_mean, hidden.mean(0), rtol=1e-4, atol=1e-5)


def test_latents_must_be_normal(make_trainer):
    trainer = make_trainer("model=gan", *narrow("gan"), "model.latent._target_=genlab.models.Uniform")
    Truncation([]).start(trainer)
    with pytest.raises(ConfigError, match="thresholds"):
        Truncation([0.5]).start(trainer)
