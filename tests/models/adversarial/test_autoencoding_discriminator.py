"""Discriminators that are autoencoders, and BEGAN's networks."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.spec import Spec
from genlab.models.adversarial import began
from genlab.models.adversarial.autoencoding_discriminator import Autoencoder
from genlab.models.autoencoders import conv_coder, dense_coder
from tests.conftest import narrow

SPEC = Spec(1, 8, 8, images=100)


def autoencoder(spec=SPEC, power=2, coder=began):
    size = {"widths": [8]} if coder is dense_coder else {"width": 4}
    return Autoencoder(
        spec,
        encoder=lambda facts, outputs: coder.Encoder(facts, outputs, **size),
        decoder=lambda facts, latent: coder.Decoder(facts, latent, **size),
        code_size=6,
        power=power,
    )


@pytest.mark.parametrize("power", [1, 2])
def test_logits_are_minus_the_mean_error_of_the_reconstruction(power):
    network, images = autoencoder(power=power), torch.randn(3, 1, 8, 8)
    expected = -(network.reconstruct(images) - images).abs().pow(power).mean((1, 2, 3))
    torch.testing.assert_close(network(images), expected)


def test_features_are_the_code_and_the_logit():
    network, images = autoencoder(), torch.randn(3, 1, 8, 8)
    features = network.features(images)
    assert features.shape == (3, network.feature_size) == (3, 7)
    assert torch.equal(features[:, : network.code_size], network.encoder(images))
    assert torch.equal(network.head(features), network(images))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (10, 10), (28, 28), (24, 16)])
@pytest.mark.parametrize("coder", [began, conv_coder])
def test_shapes(coder, channels, size):
    spec = Spec(channels, *size, images=100)
    images = began.Decoder(spec, 5, width=4)(torch.randn(2, 5))
    assert images.shape == (2, channels, *size)
    assert autoencoder(spec, coder=coder)(images).shape == (2,)


def test_points():
    assert autoencoder(Spec(2, None, None, images=100), coder=dense_coder)(torch.randn(5, 2)).shape == (5,)


def test_conditional():
    spec = Spec(1, 8, 8, images=100, condition=Classes(3))
    network, images = autoencoder(spec), torch.randn(2, 1, 8, 8)
    first, second = (network(images, torch.full((2,), label)) for label in (0, 2))
    assert not torch.allclose(first, second)


def test_sizes_of_the_published_networks():
    """64 x 64, n = h = 64: 3x3 convolutions and two linear layers, added up from figure 1.

    Between sizes the encoder has a strided convolution to 64 channels more; the innermost maps are 4 x 4, not 8 x 8.
    """

    def conv(inputs, outputs):
        return 9 * inputs * outputs + outputs

    with torch.device("meta"):
        spec = Spec(3, 64, 64, images=100)
        encoder, decoder = began.Encoder(spec, 64), began.Decoder(spec, 64)
    widths = [64, 128, 192, 256, 320]
    changes = sum(conv(small, large) for small, large in zip(widths, widths[1:], strict=False))
    expected = conv(3, 64) + sum(2 * conv(width, width) for width in widths) + changes + (320 * 16 + 1) * 64
    assert count(encoder) == expected
    assert count(decoder) == 65 * 64 * 16 + 10 * conv(64, 64) + conv(64, 3)


def count(network: nn.Module) -> int:
    return sum(param.numel() for param in network.parameters())


def test_the_equilibrium_is_part_of_a_checkpoint(make_trainer):
    trainer, resumed = (make_trainer("model=began", *narrow("began"), "trainer.accumulate=2") for _ in range(2))
    trainer.take_step()
    resumed.parts["loss"].load_state_dict(trainer.parts["loss"].state_dict())
    assert trainer.loss.k is not None and torch.equal(resumed.loss.k, trainer.loss.k)
