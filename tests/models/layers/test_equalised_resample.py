"""Folded layers equal the plain ones that they replace: output, gradient and double gradient."""

import pytest
import torch
from torch import nn
from torch.autograd import grad

from genlab.models.layers.equalised import EqualisedConv2d
from genlab.models.layers.equalised_resample import (
    Blur,
    EqualisedDownConv2d,
    EqualisedFromVector,
    EqualisedUpConv2d,
)


def maps(channels=3):
    source = torch.Generator().manual_seed(0)
    return torch.randn(2, channels, 6, 4, dtype=torch.float64, generator=source).requires_grad_()


def pair(kind, bias):
    """The layer, and a plain one with the same weights."""
    folded, plain = kind(3, 5, bias=bias, gain=1.5), EqualisedConv2d(3, 5, bias=bias, gain=1.5)
    plain.load_state_dict(folded.state_dict())
    steps = [nn.Upsample(scale_factor=2), plain] if kind is EqualisedUpConv2d else [plain, nn.AvgPool2d(2)]
    return folded.double(), nn.Sequential(*steps).double()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [EqualisedUpConv2d, EqualisedDownConv2d])
def test_folded_equals_plain(kind, bias):
    found = []
    for network in pair(kind, bias):
        x, out = maps(), None
        out = network(x)
        (slope,) = grad(out.sin().sum(), x, create_graph=True)
        double = grad(slope.square().sum(), list(network.parameters()), allow_unused=True, materialize_grads=True)
        found.append([out, slope, *double])
    torch.testing.assert_close(*found, rtol=1e-11, atol=1e-11)


def test_a_vector_becomes_a_map_as_by_a_transposed_convolution():
    layer = EqualisedFromVector(6, 5, gain=2**0.5).double()
    nn.init.normal_(layer.bias)
    plain = nn.ConvTranspose2d(6, 5, 4).double()
    with torch.no_grad():
        plain.weight.copy_(layer.weight.transpose(0, 1) * (2 / (6 * 16)) ** 0.5)  # He's constant, fan-in 6 x 4 x 4
        plain.bias.copy_(layer.bias)
    vectors = torch.randn(3, 6, dtype=torch.float64)
    torch.testing.assert_close(layer(vectors), plain(vectors[:, :, None, None]))


def test_blur_spreads_a_point_over_its_neighbours():
    point = torch.zeros(1, 2, 5, 5)
    point[:, :, 2, 2] = 16
    expected = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])
    found = Blur()(point)
    torch.testing.assert_close(found[:, :, 1:4, 1:4], expected.expand(1, 2, 3, 3))
    assert found.sum() == 32 and found.shape == point.shape
