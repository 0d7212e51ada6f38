"""SRResNet and its discriminator: published size, positions of pixels, any size of images."""

import pytest
import torch
from torch import nn

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.latent import EmptyLatent
from genlab.models.translation.srgan import Discriminator, Generator


def spec(height, width=None, *, factor=4, channels=3):
    width = width or height
    return Spec(channels, height, width, images=9, condition=Picture(channels, height // factor, width // factor))


def weights_of(network):
    return sum(p.numel() for layer in network.modules() if isinstance(layer, nn.Conv2d) for p in [layer.weight])


def test_it_is_as_large_as_the_published_one():
    """1.5 M in table 1 of Lim et al. 2017 (EDSR); 1,543 K in table 1 of Ahn et al. 2018 (CARN): convolutions alone."""
    with torch.device("meta"):
        network = Generator(spec(96))
    assert f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f}" == "1.5"
    assert round(weights_of(network) / 1e3) == 1543


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_images_are_larger_by_the_factor_that_the_data_have(factor, norm):
    network = Generator(spec(16, 24, factor=factor), width=4, blocks=2, norm=norm)
    assert sum(isinstance(layer, nn.PixelShuffle) for layer in network.modules()) == factor.bit_length() - 1
    assert isinstance(network.latent, EmptyLatent) and network.side_multiple == 1
    for side in (16 // factor, 5):  # others than those of training too
        images = network(torch.empty(2, 0), torch.randn(2, 3, side, 7))
        assert images.shape == (2, 3, side * factor, 7 * factor) and images.abs().max() <= 1


def test_four_channels_become_two_by_two_pixels():
    """Shi et al. 2016, equation 4: channel 4 c + 2 i + j at (y, x) is channel c at (2 y + i, 2 x + j)."""
    network = Generator(spec(8, factor=2), width=3, blocks=1)
    convolution, shuffle = network.doublings[:2]
    maps = torch.randn(1, 3, 2, 4)
    before, after = convolution(maps)[0], shuffle(convolution(maps))[0]
    for c, y, x in ((0, 0, 0), (2, 1, 3), (1, 0, 2)):
        for i in range(2):
            for j in range(2):
                assert after[c, 2 * y + i, 2 * x + j] == before[4 * c + 2 * i + j, y, x]


def test_skip_connections_add_their_input():
    """With every residual branch at zero the trunk passes the first maps on (figure 4, both kinds of sum)."""
    network = Generator(spec(8, factor=2), width=4, blocks=2, norm="none").eval()
    source = torch.randn(1, 3, 4, 4)
    for layer in [network.body[-1], *(block.layers[-1] for block in network.body[:2])]:
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    expected = network.last(network.doublings(network.first(source)))
    torch.testing.assert_close(network(torch.empty(1, 0), source), expected)


@pytest.mark.parametrize(("height", "width"), [(96, 96), (28, 28), (10, 17), (5, 3)])
def test_the_discriminator_halves_four_times_whatever_the_size(height, width):
    network = Discriminator(spec(height, width, factor=1).unconditional, width=2)
    assert [layer.stride[0] for layer in network.layers if isinstance(layer, nn.Conv2d)] == [1, 2] * 4
    assert [layer.out_channels for layer in network.layers if isinstance(layer, nn.Conv2d)] == [
        2, 2, 4, 4, 8, 8, 16, 16
    ]  # fmt: skip
    images = torch.randn(3, 3, height, width)
    assert network.layers(images).shape[2:] == (-(-height // 16), -(-width // 16))
    assert network.features(images).shape == (3, 32) and network(images).shape == (3,)


def test_the_discriminator_may_see_the_source():
    network = Discriminator(spec(16), width=2, norm="none")
    images, (one, other) = torch.randn(2, 3, 16, 16), torch.randn(2, 2, 3, 4, 4)
    assert not torch.allclose(network(images, one), network(images, other))


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (spec(16, factor=1), {}, "model=pix2pix"),
        (Spec(3, 15, 15, images=9, condition=Picture(3, 5, 5)), {}, "sources of 5 x 5 pixels for images of 15 x 15"),
        (Spec(3, 16, 16, images=9, condition=Picture(3, 4, 8)), {}, "low_resolution_2"),
        (Spec(3, 16, 16, images=9, condition=Classes(3)), {}, "data.task=edges"),
        (spec(16), {"latent_size": 100}, "model.latent=null"),
    ],
)
def test_unfit_data_and_options_are_refused(given, options, words):
    with pytest.raises(ConfigError, match=words):
        Generator(given, width=4, **options)
