"""Truncated grids of a real trainer."""

import pytest
import torch

from genlab.build import instantiate as build
from genlab.callbacks import Truncation, truncation_grid
from genlab.core.errors import ConfigError
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


def test_only_biggan_gathers_statistics_of_the_truncated_latents(make_trainer, monkeypatch):
    """Brock et al. 2019. Elsewhere those of training stay: gathered anew, they would undo the truncation."""
    gathered = []
    monkeypatch.setattr(truncation_grid, "gather_statistics", lambda generator, batches: gathered.append(list(batches)))
    for model, expected in (("dcgan", []), ("biggan", [50] * 10)):
        trainer = make_trainer(f"model={model}", *narrow(model))
        with torch.no_grad(), trainer.samples.sampling() as generator:
            Truncation([0.5], batches=10).sample(trainer, generator, 0.5)
        batches = gathered.pop() if gathered else []
        assert [len(z) for z, _ in batches] == expected and all(z.abs().max() <= 0.5 for z, _ in batches)


def test_latents_must_be_normal(make_trainer):
    trainer = make_trainer("model=gan", *narrow("gan"), "model.latent._target_=genlab.models.Uniform")
    Truncation([]).start(trainer)
    with pytest.raises(ConfigError, match="thresholds"):
        Truncation([0.5]).start(trainer)
