"""FastGAN's generator: every size, gates, and channel excitation between maps."""

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d

from genlab.core.condition import Classes
from genlab.core.spec import Spec
from genlab.models.adversarial.fastgan import Excitation, Generator, gated_layer


def spec(channels=3, height=32, width=None, **labels):
    return Spec(channels, height, width or height, images=100, **labels)


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("size", [(8, 8), (10, 10), (28, 28), (64, 64), (96, 64)])
def test_shapes(channels, size):
    images = Generator(spec(channels, *size), 7, width=4, most=8)(torch.randn(2, 7))
    assert images.shape == (2, channels, *size) and images.abs().max() <= 1


def test_a_condition_changes_the_image():
    network = Generator(spec(condition=Classes(10)), 7, width=4, most=8).eval()
    z, classes = torch.randn(1, 7).expand(2, -1), torch.tensor([1, 2])
    one, other = network(z, classes)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize(("size", "count"), [(8, 1), (64, 1), (128, 2), (1024, 5)])
def test_maps_scale_those_four_doublings_above(size, count):
    """8 to 128, 16 to 256 and 32 to 512 in figure 2; an image with fewer doublings has its smallest and largest."""
    with torch.device("meta"):
        network = Generator(spec(height=size), 7, width=4, most=1024)
    assert len(network.excitations) == count
    channels = [4 << level for level in reversed(range(len(network.blocks) + 1))]
    assert [layer[0].in_channels for layer in network.excitations] == channels[:count]
    assert [layer[0].out_channels for layer in network.excitations] == channels[-count:]


def test_an_excited_map_is_multiplied_channel_by_channel():
    """Equation 1: y = F(x_low) x_high."""
    network = Generator(spec(height=64), 5, width=4, most=8)
    lower = [torch.randn(2, 8, 4, 4), *[torch.randn(2, 8, side, side) for side in (8, 16, 32)]]
    high = torch.randn(2, 4, 64, 64)
    factor = network.excitations[0](lower[0])
    assert factor.shape == (2, 4, 1, 1) and factor.min() > 0 and factor.max() < 1
    assert torch.equal(network.excite(high, lower), high * factor)
    assert network.excite(high, lower[:3]) is high


def test_excitation_pools_to_the_innermost_size():
    layer, maps = Excitation(3, 5, (4, 6)), torch.randn(2, 3, 16, 24)
    squeeze, *rest = layer
    expected = squeeze(adaptive_avg_pool2d(maps, (4, 6)))
    for part in rest:
        expected = part(expected)
    torch.testing.assert_close(layer(maps), expected)


def test_gates_let_half_of_the_channels_pass():
    layer = gated_layer(torch.nn.Identity(), 2).eval()
    x = torch.randn(3, 4, 2, 2)
    torch.testing.assert_close(layer(x), x[:, :2] * torch.sigmoid(x[:, 2:]), rtol=1e-4, atol=1e-4)
