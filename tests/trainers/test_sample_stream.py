"""Samples of a trained run need its networks, and nothing that only training needs."""

from dataclasses import FrozenInstanceError, replace

import pytest
import torch

import genlab
from genlab.build import instantiate as build
from genlab.build.runs import open_run
from tests.conftest import kept, narrow, saved

MODELS = ["dcgan", "wgan_gp", "cgan_conv", "progan", "stylegan2", "vae", "vqvae", "vae_gan", "aae", "infogan", "pca"]


@pytest.mark.parametrize("model", MODELS)
def test_a_run_is_opened_to_the_trainers_samples_without_what_training_needs(tmp_path, model, monkeypatch):
    words = [f"model={model}", *narrow(model), *(["trainer.stage_images=16"] if model == "progan" else [])]
    trainer = saved(tmp_path, *words)
    for _ in range(3 if trainer.iterates else 1):
        trainer.take_step()
    kept(trainer, tmp_path)
    for name in ("optimizer", "callbacks", "System", "Run"):
        monkeypatch.setattr(build, name, None)  # a call fails
    run = open_run(tmp_path, data=trainer.data, device="cpu")
    assert run.images == trainer.images
    for seed in (run.seed, 7):
        found, expected = (replace(samples, seed=seed).draw_samples(3, 5) for samples in (run, trainer.samples))
        assert torch.equal(found, expected)


def test_a_loss_is_built_only_where_it_reads_a_decoders_output(plain, encoder, monkeypatch):
    assert open_run(plain).decoding is None and encoder.run.decoding is not None
    made, make = [], build.make

    def noted(node, key, *given, **named):
        made.append(key)
        return make(node, key, *given, **named)

    monkeypatch.setattr(build, "make", noted)
    open_run(plain)
    assert made == ["model", "trainer"]


def test_another_seed_changes_no_run(plain):
    loaded = genlab.load(plain)
    first = loaded.sample(3)
    assert not torch.equal(loaded.sample(3, seed=5), first)
    assert torch.equal(loaded.sample(3), first)
    with pytest.raises(FrozenInstanceError):
        loaded.run.seed = 5
