"""Folded residual blocks equal plain ones; bottlenecks skip channels unchanged."""

import pytest
import torch
from torch import nn
from torch.autograd import grad
from torch.nn.functional import avg_pool2d, interpolate, relu

from genlab.models.layers.bottleneck import DownBottleneck, UpBottleneck
from genlab.models.layers.resample import ConvDownsample2d
from genlab.models.layers.residual import DownBlock, UpBlock


def maps(channels=3, height=6, width=8):
    source = torch.Generator().manual_seed(0)
    return torch.randn(2, channels, height, width, dtype=torch.float64, generator=source).requires_grad_()


def test_folded_downsampling_has_equal_outputs_and_gradients_of_both_orders():
    folded = ConvDownsample2d(3, 5).double()
    plain = nn.Conv2d(3, 5, 3, padding=1).double()
    plain.load_state_dict(folded.state_dict())
    found = []
    for network in (folded, nn.Sequential(plain, nn.AvgPool2d(2))):
        x = maps()
        (slope,) = grad(network(x).sin().sum(), x, create_graph=True)
        found.append([network(x), slope, *grad(slope.square().sum(), [x, *network.parameters()])])
    torch.testing.assert_close(found[0], found[1], rtol=1e-11, atol=1e-11)


def twice(x):
    return interpolate(x, scale_factor=2)


def plain(layer, x):
    return nn.functional.conv2d(x, layer.weight, layer.bias, padding=layer.padding)


def test_up_block_as_published():
    """Upsampled before the first convolution and before the skip connection's: Miyato et al. 2018, figure 8."""
    block = UpBlock(3, 5).double()
    inner = plain(block.conv1, twice(relu(block.norm1(maps()))))
    expected = plain(block.conv2, relu(block.norm2(inner))) + plain(block.skip, twice(maps()))
    torch.testing.assert_close(block(maps()), expected)


@pytest.mark.parametrize("first", [False, True])
def test_down_block_as_published(first):
    """Pooled after the last convolution and after the skip connection's: ibid."""
    block = DownBlock(3, 5, first=first).double()
    x = maps()
    inner = plain(block.conv2, relu(plain(block.conv1, x if first else relu(x))))
    torch.testing.assert_close(block(x), avg_pool2d(inner + plain(block.skip, x), 2))


def test_a_block_that_keeps_size_and_width_skips_unchanged():
    block = DownBlock(3, 3, down=False).double()
    assert isinstance(block.skip, nn.Identity)
    assert block(maps()).shape == maps().shape


def silenced(block):
    nn.init.zeros_(block.conv4.weight)
    nn.init.zeros_(block.conv4.bias)
    return block.double()


@pytest.mark.parametrize("up", [False, True])
def test_up_bottleneck_keeps_the_first_channels(up):
    block = silenced(UpBottleneck(8, 4, up=up))
    kept = maps(8)[:, :4]
    torch.testing.assert_close(block(maps(8)), twice(kept) if up else kept)


@pytest.mark.parametrize("down", [False, True])
def test_down_bottleneck_keeps_all_channels_and_appends_others(down):
    block = silenced(DownBottleneck(4, 12, down=down))
    kept = avg_pool2d(maps(4), 2) if down else maps(4)
    out = block(maps(4))
    assert out.shape[1] == 12
    torch.testing.assert_close(out[:, :4], kept)
    torch.testing.assert_close(out[:, 4:], plain(block.skip, kept))
