"""Spectral normalisation: normalised weights, iterations, saved state and layers that are skipped."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import is_parametrized

from genlab.core.errors import ConfigError
from genlab.models.layer_contract import weight_scale_of
from genlab.models.layers.resample import ConvDownsample2d, UpsampleConv2d
from genlab.models.layers.spectral import LAYERS_WITH_WEIGHT, normalise_players, normalise_spectrum
from genlab.models.layers.weights import set_apart
from tests.conftest import choices, data_of, narrow, read
from tests.test_models_and_penalties import EQUALISED


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


GANS = {name for name in choices("model") if "discriminator" in read("model", name)["model"]}
GANS = {name for name in choices("model") if "discriminator" in read("model", name)["model"]}
NORMALISED = ("projected_gan",)  # as it comes; the pretrained network has buffers and keeps them


def is_normalised(layer):
    return is_parametrized(layer) and isinstance(layer.parametrizations.weight[0], _SpectralNorm)


def norm_in_use(layer):
    """The largest singular value of what a layer multiplies with, outputs first."""
    with torch.no_grad():
        weight = layer.weight * (weight_scale_of(layer) or 1.0)
    outputs_first = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
    return torch.linalg.matrix_norm(outputs_first.flatten(1), 2).item()


@pytest.mark.parametrize("model", sorted(GANS - {"r3gan"}))
def test_every_discriminator_of_the_menu_is_normalised(make_trainer, model):
    """Equalised layers too, whose weights are otherwise scaled when they are used."""
    words = [] if model in NORMALISED else ["model.spectral_norm=[discriminator]"]
    data = data_of(model, 1, 8 if model in EQUALISED else 12)
    trainer = make_trainer(f"model={model}", *narrow(model), *words, data=data)
    trainer.take_step()
    trainer.statistics.flush()  # raises if anything is not finite
    layers = [layer for layer in trainer.model.discriminator.modules() if isinstance(layer, LAYERS_WITH_WEIGHT)]
    norms = [norm_in_use(layer) for layer in layers if isinstance(layer.weight, nn.Parameter) or is_normalised(layer)]
    assert norms and max(norms) < 1.5 and min(norms) > 0.7


@pytest.mark.parametrize("network", [nn.ReLU(), nn.BatchNorm2d(3), normalised(nn.Linear(2, 2))])
def test_a_network_without_a_weight_to_normalise_is_refused(network):
    with pytest.raises(ConfigError, match="model.spectral_norm: the critic has no weight that could be normalised"):
        normalise_players({"critic": network}, ["critic"])


def test_layers_that_start_at_zero_are_refused(make_trainer):
    with pytest.raises(ConfigError, match="model.spectral_norm: the discriminator has layers that start at zero"):
        make_trainer("model=r3gan", *narrow("r3gan"), "model.spectral_norm=[discriminator]")
