"""Distances of partners against numpy."""

import numpy as np
import pytest
import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.losses import L1, MSE, PairedFeatureMatching, Perceptual
from tests.losses.conftest import SHAPE, Judge, Maker, N, images

SPEC = Spec(*SHAPE, images=9)


@pytest.mark.parametrize(("penalty", "distance"), [(L1, np.abs), (MSE, np.square)])
def test_each_image_is_compared_with_its_partner(make_turn, penalty, distance):
    found = penalty(weight=3.0)(make_turn("generator"))
    expected = 3 * distance(images(1).numpy() - images(2).numpy()).mean((1, 2, 3))
    torch.testing.assert_close(found, torch.from_numpy(expected))


@pytest.mark.parametrize(("distance", "by_hand"), [("squared", np.square), ("absolute", np.abs)])
def test_what_a_network_sees_is_compared_map_by_map(make_turn, distance, by_hand):
    penalty = Perceptual(
        weight=2.0, distance=distance, shares=[0.5, 3.0], features=lambda x: [x.square(), x[:, :1].flatten(1)]
    )
    penalty.settle(SPEC, 5)
    real, fake = images(1).numpy(), images(2).numpy()
    whole, first = by_hand(real**2 - fake**2).mean((1, 2, 3)), by_hand(real - fake)[:, 0].mean((1, 2))
    torch.testing.assert_close(penalty(make_turn("generator")), torch.from_numpy(2 * (0.5 * whole + 3 * first)))


def test_a_network_is_frozen_and_its_slopes_reach_the_generator(make_turn):
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU())
    penalty = Perceptual(features=network)
    penalty.settle(SPEC, 5)
    shift = torch.zeros(SHAPE, dtype=torch.float64, requires_grad=True)
    penalty(make_turn("generator", generator=Maker(lambda z: images(2) + shift))).mean().backward()
    assert shift.grad.abs().sum() > 0
    assert not network.training and all(weight.grad is None for weight in network.parameters())
    assert {weight.dtype for weight in network.parameters()} == {torch.float64} and not hasattr(penalty, "state_dict")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": nn.Conv2d(2, 3, 5)}, "penalty.perceptual.features: cannot read images of 2 x 3 x 3"),
        ({"features": torch.square, "shares": [1.0, 2.0]}, "2 numbers for 1 maps"),
    ],
)
def test_what_cannot_be_seen_is_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        Perceptual(**options).settle(SPEC, 5)


class Layers(Judge):
    """Two scales: of two layers, of one."""

    def by_layer(self, features):
        first, second, third = features.split([3, 5, 10], 1)
        return [[first, second.unflatten(1, (5, 1))], [third]]


def test_layers_of_partners_are_matched_and_scales_count_alike(make_turn):
    """The mean over a layer, the sum over layers, the mean over scales: by hand."""
    turn = make_turn("generator", network=Layers(features=lambda x: x.flatten(1) ** 3))
    away = np.abs(images(1).numpy().reshape(N, -1) ** 3 - images(2).numpy().reshape(N, -1) ** 3)
    expected = 4 * (away[:, :3].mean(1) + away[:, 3:8].mean(1) + away[:, 8:].mean(1)) / 2
    torch.testing.assert_close(PairedFeatureMatching(weight=4.0)(turn), torch.from_numpy(expected))
