"""Spectral normalisation: normalised weights, iterations, saved state and layers that are skipped."""

import copy

import pytest
import torch
from torch import nn

from genlab.models.layers.downsample import ConvDownsample2d
from genlab.models.layers.spectral import normalise_spectrum
from genlab.models.layers.upsample import UpsampleConv2d
from genlab.models.layers.weights import set_apart


def normalised(*layers):
    torch.manual_seed(0)
    network = nn.Sequential(*layers)
    normalise_spectrum(network)
    return network


@pytest.mark.parametrize("kind", [UpsampleConv2d, ConvDownsample2d])
def test_the_3x3_weight_is_normalised_and_not_what_it_is_folded_to(kind):
    network = normalised(kind(3, 5))
    for _ in range(200):
        network(torch.randn(1, 3, 4, 4))
    weight = network.eval()[0].weight
    assert weight.shape == (5, 3, 3, 3)
    assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-4)


def test_evaluation_does_not_iterate_and_training_does():
    network = normalised(nn.Conv2d(3, 9, 3))
    state = copy.deepcopy(network.state_dict())
    network.eval()(torch.randn(1, 3, 4, 4))
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())
    network.train()(torch.randn(1, 3, 4, 4))
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(state[name], tensor)}
    assert changed == {"0.parametrizations.weight.0._u", "0.parametrizations.weight.0._v"}


def test_what_is_set_apart_or_normalised_already_is_left_alone():
    network = normalised(nn.Linear(2, 2), set_apart(nn.Linear(2, 2)))
    normalise_spectrum(network)
    assert len(network[0].parametrizations.weight) == 1
    assert not hasattr(network[1], "parametrizations")


def test_channels_last_weights_stay_so():
    network = normalised(nn.Conv2d(4, 8, 3)).to(memory_format=torch.channels_last)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
