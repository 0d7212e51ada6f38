"""Residual blocks without normalisation, and the resampling between them."""

from math import sqrt

import pytest
import torch
from torch.nn.functional import interpolate

from genlab.core.errors import ConfigError
from genlab.models.layers.fixup import FixupBlock
from genlab.models.layers.resample import DownsampleBilinear, UpsampleBilinear


def maps(channels=3, height=6, width=8):
    shape = (2, channels, height, width)
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def inner(images, border):
    """Without the border, where what lies outside counts differently."""
    return images[..., border:-border, border:-border]


def test_bilinear_as_torch_has_it_away_from_the_border():
    up, down = UpsampleBilinear(3).double(), DownsampleBilinear(3).double()
    expected = interpolate(maps(), scale_factor=2, mode="bilinear")
    torch.testing.assert_close(inner(up(maps()), 1), inner(expected, 1))
    expected = interpolate(maps(), scale_factor=0.5, mode="bilinear", antialias=True)
    torch.testing.assert_close(inner(down(maps()), 1), inner(expected, 1))


def test_downsampling_is_the_transpose_of_upsampling():
    small, large = maps(3, 3, 4), maps(3, 6, 8)
    up, down = UpsampleBilinear(3).double(), DownsampleBilinear(3).double()
    torch.testing.assert_close((up(small) * large).sum(), 4 * (small * down(large)).sum())


def test_a_block_starts_as_the_identity_and_learns():
    block = FixupBlock(32, depth=8)
    images = torch.randn(2, 32, 5, 5)
    assert torch.equal(block(images), images)
    block(images).square().sum().backward()
    assert block.branch[-1].weight.grad.abs().max() > 0


@pytest.mark.parametrize("depth", [1, 16])
def test_initial_scale(depth):
    """Deviation gain * depth^(-1/4) / sqrt(fan-in), gain of LeakyReLU(0.2)."""
    block = FixupBlock(256, depth=depth)
    for layer, fan_in in ((block.branch[0], 256), (block.branch[2], 16 * 9)):
        expected = sqrt(2 / 1.04) * depth**-0.25 / sqrt(fan_in)
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.02)
        assert not layer.bias.any()


def test_groups_of_sixteen_channels():
    assert FixupBlock(32, depth=1).branch[2].groups == 4
    assert FixupBlock(4, depth=1).branch[2].groups == 1
    with pytest.raises(ConfigError, match="multiple of 8"):
        FixupBlock(20, depth=1)
