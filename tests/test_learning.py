"""Every system learns: on real data, from the command line's words. Slow; half a minute each on one core."""

import json
from pathlib import Path

import pytest

import genlab
from genlab import build
from genlab.callbacks.encoded import codes_of, decoded, first_images
from tests.conftest import choices, composed

LEARNT = 40.0  # FID: untrained networks score 62 to 115, a Gaussian with the covariance of the images (pca) 35
RECONSTRUCTING = ["pca", "linear_autoencoder", "autoencoder", "autoencoder_conv", "denoising_autoencoder", "vqvae"]
COLLAPSING = ["began"]  # within minutes it draws ones alone, the digit that is easiest to reconstruct
IMAGES = {  # of slow networks fewer
    "autoencoder": 60_000,
    "beta_vae": 60_000,
    "biggan": 6_000,
    "biggan_deep": 4_000,
    "gan": 60_000,
    "gan_minimal": 100_000,
    "r3gan": 6_000,
    "sagan": 8_000,
    "sngan": 8_000,
    "vae": 60_000,
}
pytestmark = pytest.mark.slow


def run(directory: Path, *words: str) -> dict:
    """The last score of every metric of a run."""
    genlab.run([*words, f"hydra.run.dir={directory}", "trainer.device=cpu", "metrics.every=1_000_000_000"])
    records = json.loads((directory / "summary.json").read_text())["records"]
    last = max(record["position"] for record in records)
    return {record["metric"]: record["value"] for record in records if record["position"] == last}


@pytest.mark.parametrize("model", [name for name in choices("model") if name not in RECONSTRUCTING + COLLAPSING])
def test_samples_come_near_to_mnist(tmp_path, model):
    words = [f"model={model}", "data=mnist", "metrics.images=2000", f"trainer.images={IMAGES.get(model, 20_000)}"]
    assert run(tmp_path / "run", *words)["fid"] < LEARNT


@pytest.mark.parametrize("model", RECONSTRUCTING)
def test_reconstructions_come_near_to_the_originals(tmp_path, model):
    """The error is at most half the variance."""
    images = "null" if model == "pca" else 30_000
    alone = ("metrics=none", "callbacks=none", "trainer.device=cpu", f"trainer.images={images}")
    trainer = build.trainer(composed(f"model={model}", "data=mnist", *alone), tmp_path)
    trainer.fit()
    _, images, condition = first_images(trainer, 1_000)
    error = (decoded(trainer, codes_of(trainer, images, condition), condition) - images).square().mean()
    assert error <= images.var(dim=0).mean() / 2


@pytest.mark.parametrize(("model", "words"), [("cgan", ""), ("acgan", ""), ("sngan", "model.conditional=true")])
def test_samples_show_the_class_they_were_asked_for(tmp_path, model, words):
    words = [f"model={model}", "data=mnist", "metrics=full", "metrics.images=2000", *words.split()]
    assert run(tmp_path / "run", *words, f"trainer.images={IMAGES.get(model, 20_000)}")["accuracy"] >= 0.6


def test_a_hundred_labels_teach_a_discriminator_to_name_digits(tmp_path):
    words = ["model=semi_supervised_gan", "metrics=full", "metrics.images=2000", "trainer.images=30_000"]
    assert run(tmp_path / "run", *words)["test_accuracy"] >= 0.6


def test_slopes_at_real_points_keep_every_mode(tmp_path):
    """Mescheder et al. 2018: R1 converges where the plain game goes round in circles."""
    networks = ["model.generator.norm=none", "model.generator.widths=[128,128]", "model.discriminator.widths=[128,128]"]
    words = ["model=gan", "data=ring8", *networks, "model.latent.size=2", "optimizer=adam_fast"]
    penalty = ["penalty=[r1]", "penalty.r1.weight=0.02", "penalty.r1.every=4"]
    scores = run(tmp_path / "run", *words, *penalty, "trainer.batch_size=256", "trainer.images=1_000_000")
    assert scores["modes"] == 8 and scores["high_quality"] > 0.6


@pytest.mark.parametrize(("loss", "least", "most"), [("kl", 0.0, 0.05), ("reverse_kl", 0.1, 10.0)])
def test_kl_covers_modes_that_reverse_kl_gives_up(tmp_path, loss, least, most):
    """KL(data || samples) of a generator that is too small for eight modes: Nowozin et al. 2016, section 4."""
    networks = ["model.generator.norm=none", "model.generator.widths=[64,64]", "model.discriminator.widths=[128,128]"]
    words = ["model=gan", "data=ring8", "data.std=0.1", *networks, "model.latent.size=2", f"loss={loss}"]
    longer = ["optimizer.discriminator.lr=1e-3", "trainer.batch_size=256", "trainer.images=1_000_000"]
    assert least <= run(tmp_path / "run", *words, *longer)["kl"] <= most
