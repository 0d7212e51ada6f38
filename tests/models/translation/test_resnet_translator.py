"""CycleGAN's generator: published size, any size of pictures, and a plain reference of what it computes."""

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d, pad, relu

from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.latent import EmptyLatent
from genlab.models.translation.patchgan import PatchGAN
from genlab.models.translation.resnet_translator import ResNetTranslator


def spec(height, width=None, channels=3, source=3):
    width = width or height
    return Spec(channels, height, width, images=9, condition=Picture(source, height, width))


def count(network):
    return f"{sum(parameter.numel() for parameter in network.parameters()) / 1e6:.3f}"


def no_noise(pictures):
    return pictures.new_zeros(len(pictures), 0)


def test_both_networks_are_as_large_as_the_published_ones():
    """The 11.378 M of nine blocks and the 2.765 M of the 70 x 70 PatchGAN that the authors' PyTorch code prints."""
    with torch.device("meta"):
        generator = ResNetTranslator(spec(256))
        judge = PatchGAN(spec(256).unconditional, norm="instance_plain")
        assert judge(torch.empty(1, 3, 256, 256)).shape == (1, 30, 30)  # the 70 x 70 one
    assert (count(generator), count(judge)) == ("11.378", "2.765")
    assert len(generator.blocks) == 9


@pytest.mark.parametrize(("side", "blocks"), [(128, 6), (255, 6), (256, 9), (512, 9)])
def test_large_images_have_nine_blocks(side, blocks):
    with torch.device("meta"):
        assert len(ResNetTranslator(spec(side), width=4).blocks) == blocks
        assert len(ResNetTranslator(spec(side), width=4, blocks=2).blocks) == 2


@pytest.mark.parametrize("size", [(5, 5), (8, 8), (10, 7), (9, 16), (28, 28), (31, 33)])
@pytest.mark.parametrize("norm", ["instance_plain", "instance", "batch", "none"])
def test_the_size_stays_whatever_it_is(size, norm):
    network = ResNetTranslator(spec(*size, channels=3, source=1), width=4, blocks=1, norm=norm)
    pictures = torch.randn(2, 1, *size)
    images = network(no_noise(pictures), pictures)
    assert images.shape == (2, 3, *size) and images.abs().max() <= 1
    assert network.latent == EmptyLatent() and network.side_multiple == 1


def normalised(maps):
    mean, variance = maps.mean((2, 3), keepdim=True), maps.var((2, 3), correction=0, keepdim=True)
    return (maps - mean) / (variance + 1e-5).sqrt()


def reflected(maps, layer, normalise=normalised):
    """A convolution that sees its maps mirrored beyond the edges, and a normalisation."""
    side = layer.weight.shape[2] // 2
    return normalise(conv2d(pad(maps, [side] * 4, mode="reflect"), layer.weight, layer.bias))


def test_it_computes_what_the_paper_says():
    """c7s1, d, d, R, R, u, u, c7s1: written out."""
    network = ResNetTranslator(spec(12, 8), width=4, blocks=2).double()
    pictures = torch.randn(2, 3, 12, 8, dtype=torch.float64)
    maps = relu(reflected(pictures, network.first[0]))
    for down in network.downs:
        maps = relu(normalised(conv2d(maps, down[0].weight, down[0].bias, stride=2, padding=1)))
    assert maps.shape == (2, 16, 3, 2)
    for block in network.blocks:
        maps = maps + reflected(relu(reflected(maps, block.layers[0])), block.layers[3])
    for up in network.ups:
        weight, bias = up.doubled.weight, up.doubled.bias
        doubled = conv_transpose2d(maps, weight, bias, stride=2, padding=1, output_padding=1)
        maps = relu(normalised(doubled))
    expected = reflected(maps, network.last[0], lambda maps: maps).tanh()
    torch.testing.assert_close(network(no_noise(pictures), pictures), expected)


def test_every_weight_learns_but_biases_that_normalisation_takes_away():
    network, pictures = ResNetTranslator(spec(16), width=4).double(), torch.randn(2, 3, 16, 16, dtype=torch.float64)
    network(no_noise(pictures), pictures).square().sum().backward()
    moved = {name for name, value in network.named_parameters() if value.grad.abs().max() > 1e-12}
    assert moved == {name for name, value in network.named_parameters() if value.ndim > 1} | {"last.0.bias"}


@pytest.mark.parametrize(
    ("facts", "words", "noise"),
    [
        (Spec(3, 16, 16, images=9), "data.task=edges", None),
        (Spec(3, 16, 16, images=9, condition=Picture(3, 4, 4)), "this network keeps the size", None),
        (spec(4), "Set data.size=8", None),
        (spec(16), "takes no noise", 100),
        (Spec(2, None, None, images=9), "for images, the data are points", None),
    ],
)
def test_unfit_data_and_noise_are_refused(facts, words, noise):
    with pytest.raises(ConfigError, match=words):
        ResNetTranslator(facts, noise)
