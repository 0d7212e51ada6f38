"""Autoencoders: shapes, published sizes, and the outputs that losses need from the decoder."""

from functools import partial

import pytest
import torch

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.losses import Gaussian
from genlab.models import VAE, Autoencoder, Normal
from genlab.models.autoencoders import conv_coder, dense_coder
from tests.conftest import composed, tiny_data

MNIST = Spec(1, 28, 28, images=60_000, condition=Classes(10))


def dense(model, latent, *widths, **options):
    encoder = partial(dense_coder.Encoder, widths=widths)
    decoder = partial(dense_coder.Decoder, widths=widths[::-1])
    return model(MNIST, latent=Normal(latent), encoder=encoder, decoder=decoder, **options)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def layers(*sizes):
    return sum((inputs + 1) * outputs for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True))


def test_published_sizes():
    expected = layers(784, 128, 64, 32) + layers(32, 64, 128, 784)
    assert parameters(dense(Autoencoder, 32, 128, 64)) == expected == 222_384
    expected = layers(784, 400, 200, 2 * 20) + layers(20, 200, 400, 784)
    assert parameters(dense(VAE, 20, 400, 200)) == expected == 801_224


def test_the_latent_may_be_larger_than_the_image(make_trainer):
    trainer = make_trainer("model=autoencoder", "model.latent.size=100", data=tiny_data(size=8))
    trainer.take_step()
    assert trainer.model.codes(torch.zeros(2, 1, 8, 8)).shape == (2, 100)


@pytest.mark.parametrize("variance", ["fixed", "learned", "per_pixel"])
def test_the_decoder_has_the_outputs_that_the_loss_needs(variance):
    model, loss = dense(VAE, 20, 40, variance=variance), Gaussian(variance=variance)
    output = model.decoder(torch.randn(5, 20))
    assert loss.mean_image(output).shape == (5, 1, 28, 28)
    assert loss.reconstruction(output, torch.zeros(5, 1, 28, 28)).shape == (5,)


@pytest.mark.parametrize("model", ["vae", "vae_conv", "autoencoder", "cvae"])
def test_choosing_the_loss_chooses_the_variance(model):
    plain = composed(f"model={model}")["model"]["variance"]
    assert (plain, composed(f"model={model}", "loss=gaussian", "loss.variance=learned")["model"]["variance"]) == (
        "fixed",
        "learned",
    )


def test_conditions_reach_both_networks():
    model = dense(VAE, 20, 40, conditional=True)
    images, classes = torch.zeros(2, 1, 28, 28), torch.tensor([1, 7])
    codes = model.codes(images, classes)
    assert not torch.equal(codes[0], codes[1])
    outputs = model.decoder(torch.zeros(2, 20), classes)
    assert not torch.equal(outputs[0], outputs[1])


def test_a_condition_without_labels_is_refused():
    with pytest.raises(ConfigError, match="the data have no labels"):
        VAE(MNIST.unconditional, latent=Normal(2), encoder=None, decoder=None, conditional=True)


@pytest.mark.parametrize(("channels", "side"), [(1, 28), (3, 32), (3, 20)])
def test_convolutions_come_back_to_the_size_they_started_from(channels, side):
    spec = Spec(channels, side, side, images=1)
    z = conv_coder.Encoder(spec, 12, width=4)(torch.zeros(2, channels, side, side))
    assert z.shape == (2, 12)
    assert conv_coder.Decoder(spec, 12, width=4)(z).shape == (2, channels, side, side)


def test_convolutions_refuse_points():
    with pytest.raises(ConfigError, match="points"):
        conv_coder.Encoder(Spec(2, None, None, images=1), 4)
