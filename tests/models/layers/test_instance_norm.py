"""Instance normalisation against its written-out formula, in every layout of memory."""

from itertools import product

import pytest
import torch
from torch import nn

from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.layers.batch_norm import OwnBatchNorm2d
from genlab.models.layers.norm import norm2d
from genlab.models.layers.spatial_norm import SPADE
from genlab.models.translation.resnet_translator import ResNetTranslator

FORMATS = (torch.contiguous_format, torch.channels_last)


def written_out(maps):
    centred = maps - maps.mean((2, 3), keepdim=True)
    return centred / (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


def layers():
    plain, affine, own = *norm2d("instance_plain", 5), *norm2d("instance", 5), OwnBatchNorm2d(5).eval()
    return {"plain": plain, "affine": affine, "own": own, "spade": SPADE(5, 3, hidden=4, norm="instance").norm}


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("name", layers())
def test_gradients_are_those_of_the_formula_whatever_the_layout(name, images):
    layer = layers()[name].double()
    maps, slope = torch.randn(2, images, 5, 6, 4, dtype=torch.float64)
    maps.requires_grad_()
    (wanted,) = torch.autograd.grad(written_out(maps), maps, slope)
    for first, second in product(FORMATS, FORMATS):
        given = maps.detach().contiguous(memory_format=first).requires_grad_()
        (found,) = torch.autograd.grad(layer(given), given, slope.contiguous(memory_format=second))
        torch.testing.assert_close(found, wanted)


def test_second_derivatives_of_a_single_image_are_those_of_the_formula():
    maps, slope = torch.randn(2, 1, 5, 4, 4, dtype=torch.float64)
    found = []
    for function in (*norm2d("instance_plain", 5), written_out):
        given = maps.contiguous(memory_format=torch.channels_last).requires_grad_()
        slopes = slope.contiguous(memory_format=torch.channels_last)
        (gradient,) = torch.autograd.grad(function(given), given, slopes, create_graph=True)
        found += torch.autograd.grad(gradient.square().sum(), given)
    torch.testing.assert_close(*found)


def test_a_translator_learns_the_same_from_one_image_in_either_layout():
    spec = Spec(3, 16, 16, images=4, condition=Picture(3, 16, 16))
    network = ResNetTranslator(spec, width=4, blocks=1).double()
    source, slope = torch.randn(2, 1, 3, 16, 16, dtype=torch.float64)
    found = []
    for layout in FORMATS:
        network.to(memory_format=layout).zero_grad()
        (network(torch.zeros(1, 0), source.contiguous(memory_format=layout)) * slope).sum().backward()
        convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        found.append(torch.cat([layer.weight.grad.flatten() for layer in convolutions]).clone())
    torch.testing.assert_close(*found)
