"""Modulated convolutions: against the paper's equations, image by image, and their two forms against each other."""

from itertools import product

import pytest
import torch
from torch.autograd import grad
from torch.nn.functional import conv2d, pad

from genlab.models.layers.modulated import ModulatedConv2d
from tests.models.layers.test_upfirdn import reference as upfirdn_reference

CASES = [
    {"up": up, "demodulate": demodulate, "side": side}
    for up, demodulate, side in product([False, True], [True, False], [3, 1])
]
N, INPUTS, OUTPUTS, STYLE = 3, 4, 5, 6


def made(form="plain", **options):
    torch.manual_seed(0)
    layer = ModulatedConv2d(INPUTS, OUTPUTS, STYLE, options.pop("side", 3), form=form, **options)
    torch.nn.init.normal_(layer.affine.bias)
    return layer


def inputs(dtype=torch.float32):
    source = torch.Generator().manual_seed(1)
    maps = torch.randn(N, INPUTS, 6, 6, generator=source, dtype=dtype)
    return maps.requires_grad_(), torch.randn(N, STYLE, generator=source, dtype=dtype).requires_grad_()


def reference(layer, maps, styles, *, up, demodulate):
    """Equations 1 and 3, one image at a time; upsampled by zeros between samples, then filtered."""
    found = []
    for image, style in zip(maps, styles, strict=True):
        weight = layer.weight * layer.weight_scale * layer.affine(style)[None, :, None, None]
        if demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if not up:
            found.append(conv2d(image[None], weight, padding=weight.shape[-1] // 2))
            continue
        zeros = image.new_zeros(1, INPUTS, 12, 12)
        zeros[0, :, ::2, ::2] = image
        side = weight.shape[-1]
        wide = conv2d(pad(zeros, [side - 1] * 4), weight.flip(2, 3))[..., : 10 + side, : 10 + side]
        edge = {3: (1, 1), 1: (2, 2)}[side]
        kernel = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        found.append(upfirdn_reference(wide.detach(), kernel, padding=edge * 2, gain=4.0))
    return torch.cat(found)


@pytest.mark.parametrize("form", ["plain", "fused"])
@pytest.mark.parametrize("options", CASES, ids=str)
def test_equals_the_equations_written_out(form, options):
    layer = made(form, **options).double()
    maps, styles = inputs(torch.float64)
    expected = reference(layer, maps, styles, up=options["up"], demodulate=options["demodulate"])
    torch.testing.assert_close(layer(maps, styles), expected)


@pytest.mark.parametrize("options", CASES, ids=str)
def test_the_forms_are_equal_to_1e_5(options):
    """Outputs, gradients, and the gradients of a gradient's norm, in float32."""
    found = []
    for form in ("plain", "fused"):
        layer, (maps, styles) = made(form, **options), inputs()
        images = layer(maps, styles)
        everything = [maps, styles, *layer.parameters()]
        first = grad(images.sin().sum(), everything, create_graph=True)
        second = grad(first[1].square().sum().sqrt(), everything)
        found.append([images, *first, *second])
    for one, other in zip(*found, strict=True):
        scale = one.abs().max().clamp(min=1)
        torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize("form", ["plain", "fused"])
@pytest.mark.parametrize("up", [False, True])
def test_gradients_of_both_orders(form, up):
    torch.manual_seed(0)
    layer = ModulatedConv2d(2, 2, 2, up=up, form=form).double()
    maps = torch.randn(2, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    styles = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)

    def call(maps, styles):
        return layer(maps, styles).square().sum((2, 3))

    assert torch.autograd.gradcheck(call, (maps, styles)) and torch.autograd.gradgradcheck(call, (maps, styles))


@pytest.mark.parametrize("form", ["plain", "fused"])
def test_demodulation_brings_the_deviation_back_to_1(form):
    """Of inputs of deviation 1, whatever the style: section 2.2's assumption made true."""
    torch.manual_seed(0)
    layer = ModulatedConv2d(64, 64, STYLE, form=form)
    maps = layer(torch.randn(4, 64, 32, 32), 30 * torch.randn(4, STYLE))
    deviations = maps[..., 1:-1, 1:-1].std((2, 3))
    torch.testing.assert_close(deviations, torch.ones_like(deviations), rtol=0, atol=0.15)


def test_the_mean_is_left_alone():
    """No mean-centring: a constant map stays one, of the value that the weights' sum gives it."""
    layer = made("plain", demodulate=False)
    maps = layer(torch.ones(1, INPUTS, 8, 8), torch.zeros(1, STYLE))[0, :, 4, 4]
    scales = layer.affine(torch.zeros(1, STYLE))[0]
    torch.testing.assert_close(maps, (layer.weight * layer.weight_scale).sum((2, 3)) @ scales)


def test_a_constant_keeps_its_value_when_doubled():
    """The filter's gain makes up for the zeros between samples."""
    layer = made("plain", up=True, side=1, demodulate=False)
    same = ModulatedConv2d(INPUTS, OUTPUTS, STYLE, 1, demodulate=False)
    same.load_state_dict(layer.state_dict())
    maps, styles = torch.ones(1, INPUTS, 8, 8), torch.randn(1, STYLE)
    torch.testing.assert_close(layer(maps, styles)[..., 5, 6], same(maps, styles)[..., 4, 4])
