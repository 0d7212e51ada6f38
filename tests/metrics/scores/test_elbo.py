"""ELBO, likelihood and reconstruction error of models as they are built, against formulas written out."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from genlab.callbacks.scores import source_of
from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.metrics import Coordinates, Evaluation
from genlab.metrics.scores.elbo import Likelihood
from genlab.metrics.scores.importance_bounds import likelihood
from genlab.metrics.scores.reconstruction_error import ReconstructionError
from tests.conftest import narrow, tiny_data


def scored(trainer, metric, *, batch_size=20, split="train"):
    evaluation = Evaluation(Coordinates(), {"it": metric}, images=10, batch_size=batch_size, split=split)
    evaluation.check(trainer.data, trainer.samples)
    return {
        record.metric: record
        for record in evaluation.run(source_of(trainer.samples, trainer.images), trainer.data, device="cpu")
    }


@pytest.fixture
def vae(make_trainer):
    return make_trainer("model=vae", *narrow("vae"), "model.latent.size=2")


def test_one_sample_is_the_elbo_written_out(vae):
    """log p(x, z) - log q(z | x) by torch.distributions, with the same noise."""
    found = scored(vae, Likelihood(images=50, samples=1))
    images = vae.data.train.images[:50].float() / 127.5 - 1
    from genlab.core.random import generator

    with torch.no_grad():
        posterior = vae.model.posterior(images)
        noise = torch.randn(1, 50, 2, generator=generator(vae.seed, "likelihood", 0))[0]
        z = posterior.mean + (posterior.log_variance / 2).exp() * noise
        pixels = Bernoulli(logits=vae.model.decoder(z), validate_args=False).log_prob((images + 1) / 2)
    prior = Normal(0.0, 1.0).log_prob(z).sum(1)
    density = Normal(posterior.mean, (posterior.log_variance / 2).exp()).log_prob(z).sum(1)
    expected = (pixels.flatten(1).sum(1) + prior - density).mean().item()
    assert found["elbo"].value == pytest.approx(expected, rel=1e-5)
    assert found["nll"].value == pytest.approx(-expected, rel=1e-5)


def test_the_nll_is_the_scripts_number_for_any_batch_size(vae):
    images = vae.data.train.images.float() / 127.5 - 1
    error = lambda z, targets: vae.loss.reconstruction(vae.model.decoder(z), targets)  # noqa: E731
    expected = likelihood(images, vae.model.eval().posterior, error, samples=20, seed=vae.seed)
    one, other = (scored(vae, Likelihood(samples=20), batch_size=size) for size in (3, 64))
    assert one == other
    assert one["nll"].value == pytest.approx(expected.nll.mean().item(), rel=1e-6)
    assert one["nll"].value < -one["elbo"].value
    assert one["nll"].settings == "the first 1,000 real images; 20 samples an image; Bernoulli pixels"


def test_a_conditional_model_is_told_the_label(make_trainer):
    trainer = make_trainer("model=cvae", *narrow("cvae"))
    found = scored(trainer, Likelihood(samples=5))
    assert "given the label" in found["nll"].settings
    labels = trainer.data.train.labels
    labels.copy_(labels.roll(1))
    assert scored(trainer, Likelihood(samples=5))["nll"].value != found["nll"].value


def test_the_frame_of_padding_is_left_out(make_trainer):
    """By the decoder's independence: what is said of the frame's pixels changes nothing."""
    trainer = make_trainer("model=vae", *narrow("vae"), data=InMemory(tiny_data().train, padding=2))
    before = scored(trainer, Likelihood(samples=3))["elbo"].value
    bias = trainer.model.decoder.layers[-1].bias.data.view(8, 8)
    bias[:2] += 9
    bias[:, -2:] -= 9
    assert scored(trainer, Likelihood(samples=3))["elbo"].value == pytest.approx(before, rel=1e-6)


def test_the_reconstruction_error_is_that_of_saved_pixels(vae):
    images = vae.data.train.images
    with torch.no_grad():
        z = vae.model.codes(images.float() / 127.5 - 1)
        again = (vae.model.decoder(z).sigmoid() * 255).round()
    expected = ((again - images) / 127.5).square().mean().item()
    for batch_size in (7, 64):
        found = scored(vae, ReconstructionError(), batch_size=batch_size)["reconstruction_mse"]
        assert found.value == pytest.approx(expected, rel=1e-4)
    assert (found.images, found.extractor, found.settings) == (0, "none", "the first 10,000 real images")


def test_all_principal_components_lose_nothing(make_trainer):
    """With all of them nothing but rounding is lost."""
    trainer = make_trainer("model=pca", "model.latent.size=64", "trainer.images=null")
    trainer.take_step()
    assert scored(trainer, ReconstructionError())["reconstruction_mse"].value < 1e-5


@pytest.mark.parametrize("model", ["aae", "vqvae", "vae_gan"])
def test_every_encoder_is_measured(make_trainer, model):
    trainer = make_trainer(f"model={model}", *narrow(model))
    trainer.model.train()
    assert math.isfinite(scored(trainer, ReconstructionError())["reconstruction_mse"].value)
    assert trainer.model.training


@pytest.mark.parametrize(
    ("model", "metric", "said"),
    [
        ("dcgan", ReconstructionError(), r"models with an encoder, and this one \(GAN\) has none"),
        ("autoencoder", Likelihood(), r"a distribution over latents, and this Autoencoder has none"),
        ("vae_gan", Likelihood(), "loss=bernoulli or gaussian, and this VAEGAN has none"),
    ],
)
def test_models_without_these_numbers_are_refused_before_training(make_trainer, model, metric, said):
    with pytest.raises(ConfigError, match=said):
        scored(make_trainer(f"model={model}", *narrow(model)), metric)


def test_a_conditional_model_needs_labels(make_trainer):
    data = tiny_data()
    data.test = Split(data.train.images)
    with pytest.raises(ConfigError, match="the model is conditional, and tiny/test has no labels"):
        scored(make_trainer("model=cvae", *narrow("cvae"), data=data), ReconstructionError(), split="test")
