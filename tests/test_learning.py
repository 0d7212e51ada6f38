"""Systems learn: on real data, from the command line's words. Slow; half a minute each on one core."""

import json
from pathlib import Path

import pytest

import genlab
from genlab.build import instantiate as build
from genlab.trainers.encoder import decode, encode, first_images
from tests.conftest import composed

LEARNT = 40.0  # FID: untrained networks score 62 to 115, a Gaussian with the covariance of the images (pca) 35
RECONSTRUCTING = {  # images each
    "pca": 60_000,
    "linear_autoencoder": 150_000,
    "autoencoder": 150_000,
    "denoising_autoencoder": 150_000,
    "autoencoder_conv": 30_000,
    "vqvae": 30_000,
}
GENERATING = {"biggan": 6_000, "cvae": 20_000, "gan": 200_000, "vae": 100_000, "wgan_gp": 30_000}  # images each
TRANSLATING = {"pix2pix": 8_000, "pix2pix_hd": 6_000, "super_resolution": 8_000}  # images each
pytestmark = pytest.mark.slow


def run(directory: Path, *words: str) -> dict:
    """The last score of every metric of a run."""
    genlab.run([*words, f"hydra.run.dir={directory}", "trainer.device=cpu", "metrics.every=1_000_000_000"])
    records = json.loads((directory / "summary.json").read_text())["records"]
    last = max(record["position"] for record in records)
    return {record["metric"]: record["value"] for record in records if record["position"] == last}


@pytest.mark.parametrize(("model", "images"), GENERATING.items())
def test_samples_come_near_to_mnist(tmp_path, model, images):
    """Of each kind of system one; what all of them reach in three minutes is in scripts/results."""
    words = [f"model={model}", "data=mnist", "metrics.images=2000", f"trainer.images={images}"]
    assert run(tmp_path / "run", *words)["fid"] < LEARNT


@pytest.mark.parametrize(("model", "images"), RECONSTRUCTING.items())
def test_reconstructions_come_near_to_the_originals(tmp_path, model, images):
    """The error is at most half the variance."""
    alone = ("metrics=none", "callbacks=none", "trainer.device=cpu", f"trainer.images={images}")
    trainer = build.trainer(composed(f"model={model}", "data=mnist", *alone), tmp_path)
    trainer.fit()
    _, images, condition = first_images(trainer.samples, 1_000)
    error = (decode(trainer.samples, encode(trainer.samples, images, condition), condition) - images).square().mean()
    assert error <= images.var(dim=0).mean() / 2


@pytest.mark.parametrize("model", TRANSLATING)
def test_pictures_come_near_to_their_partners(tmp_path, model):
    """Half as far from them as the mean image, which needs no model."""
    words = [f"model={model}", "metrics.images=1000", "trainer.batch_size=16", f"trainer.images={TRANSLATING[model]}"]
    scores = run(tmp_path / "run", *words)
    assert scores["l1"] <= scores["l1_mean"] / 2


def test_samples_show_the_words_they_were_told(tmp_path):
    """A digit, and where words ask for them its stroke and slant: by chance 10 % and 15 %."""
    scores = run(tmp_path / "run", "model=text_gan", "metrics.images=1000", "trainer.images=30_000")
    assert scores["accuracy"] >= 0.4 and scores["described"] >= 0.5


def test_samples_show_the_class_they_were_asked_for(tmp_path):
    words = ["model=cvae", "data=mnist", "metrics=accuracy", "metrics.images=2000", "trainer.images=60_000"]
    assert run(tmp_path / "run", *words)["accuracy"] >= 0.8


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
