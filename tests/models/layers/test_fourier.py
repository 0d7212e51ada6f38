"""Fourier features: frequencies, places, and maps by style and by the user's transform."""

import math

import pytest
import torch
from torch import nn

from genlab.models.layers.filtered_nonlinearity import Band
from genlab.models.layers.fourier import FourierFeatures

BAND = Band(rate=8, size=12, cutoff=2.0, half_width=2.0)


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return FourierFeatures(5, 6, BAND).double()


def places():
    line = (torch.arange(12, dtype=torch.float64) - 5.5) / 8
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), 2)  # (right, down)


def read(layer, where):
    """The mixed waves at places [..., 2], one by one."""
    turns = where @ layer.frequencies.T + layer.phases
    return ((2 * math.pi * turns).sin() @ layer.mix.T / 6**0.5).permute(2, 0, 1)


def test_initial_waves_do_not_depend_on_the_style(layer):
    maps = layer(torch.randn(3, 5))
    assert maps.shape == (3, 6, 12, 12)
    torch.testing.assert_close(maps, read(layer, places()).expand(3, -1, -1, -1))


def test_frequencies_are_even_over_the_disc_of_the_band():
    radius = FourierFeatures(5, 2_000, BAND).frequencies.norm(dim=1)
    assert radius.max() <= 2
    shares = torch.histc((radius / 2).square(), 10, 0, 1) / 2_000  # areas
    torch.testing.assert_close(shares, torch.full((10,), 0.1), rtol=0, atol=0.03)


def test_a_style_translates_then_turns(layer):
    """Karras et al. 2021, appendix F.1: (cosine, sine, right, down), of which a common factor is nothing."""
    angle, right, down = 0.7, 0.1, -0.25
    wanted = torch.tensor([math.cos(angle), math.sin(angle), right, down], dtype=torch.float64)
    turn = torch.tensor([[wanted[0], -wanted[1]], [wanted[1], wanted[0]]], dtype=torch.float64)
    turned = (places() - wanted[2:]) @ turn.T
    with torch.no_grad():
        layer.affine.bias.copy_(3 * wanted)
    torch.testing.assert_close(layer(torch.randn(1, 5))[0], read(layer, turned))


def test_it_depends_on_the_style_once_trained(layer):
    nn.init.normal_(layer.affine.weight)
    one, other = layer(torch.randn(2, 5))
    assert not torch.allclose(one, other)


def test_a_transform_is_from_the_image_to_the_input_and_may_be_one_an_image(layer):
    matrix = torch.tensor([[0.8, -0.6, 0.1], [0.6, 0.8, 0.2], [0.0, 0.0, 1.0]], dtype=torch.float64)
    layer.transform = torch.stack([matrix, torch.eye(3, dtype=torch.float64)])
    where = places() @ matrix[:2, :2].T + matrix[:2, 2]
    torch.testing.assert_close(layer(torch.randn(2, 5)), torch.stack([read(layer, where), read(layer, places())]))


def test_waves_too_fine_for_the_samples_fade(layer):
    layer.transform = torch.diag(torch.tensor([50.0, 50.0, 1.0])).double()
    rest = layer(torch.randn(1, 5))
    fast = layer.frequencies.norm(dim=1) * 50 >= 4
    assert fast.all() and not rest.any()


def test_its_state_holds_what_was_drawn_but_not_the_users_transform(layer):
    assert {"frequencies", "phases"} <= set(layer.state_dict()) and "transform" not in layer.state_dict()
