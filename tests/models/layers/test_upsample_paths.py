"""Folded upsampling layers equal plain ones: output, gradient and double gradient."""

import torch
from torch import nn
from torch.autograd import grad

from genlab.models.layers.first_and_last import FromVector
from genlab.models.layers.upsample import UpsampleConv2d


def pair(bias=True):
    folded = UpsampleConv2d(3, 5, bias=bias).double()
    plain = nn.Conv2d(3, 5, 3, padding=1, bias=bias).double()
    plain.load_state_dict(folded.state_dict())
    return folded, nn.Sequential(nn.Upsample(scale_factor=2), plain)


def images():
    return torch.randn(2, 3, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()


def test_output():
    folded, plain = pair()
    torch.testing.assert_close(folded(images()), plain(images()), rtol=1e-12, atol=1e-12)


def test_gradient_by_input_and_parameters():
    found = []
    for network in pair():
        x = images()
        found.append(grad(network(x).sin().sum(), [x, *network.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-12)


def test_double_gradient():
    """As a gradient penalty has it: d |d out / d in|^2 / d weights."""
    found = []
    for network in pair():
        x = images()
        (slope,) = grad(network(x).sin().sum(), x, create_graph=True)
        found.append(grad(slope.square().sum(), [x, *network.parameters()]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-11, atol=1e-11)


def test_same_parameters_and_checkpoint_keys():
    folded, plain = pair()
    assert folded.state_dict().keys() == plain[1].state_dict().keys()
    assert sum(p.numel() for p in folded.parameters()) == sum(p.numel() for p in plain.parameters())


def test_a_convolution_from_a_vector_to_a_map():
    quick, plain = FromVector(5, 3, (2, 4), bias=False), nn.ConvTranspose2d(5, 3, (2, 4), bias=False)
    plain.load_state_dict(quick.state_dict())
    found = []
    for network in (quick.double(), plain.double()):
        x = torch.randn(6, 5, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        (slope,) = grad(network(x).sin().sum(), x, create_graph=True)
        found.append([network(x), slope, *grad(slope.square().sum(), [x, *network.parameters()])])
    torch.testing.assert_close(found[0], found[1], rtol=1e-11, atol=1e-11)
