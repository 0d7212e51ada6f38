"""Spectral normalisation: weights with a largest singular value of 1."""

from collections.abc import Iterable, Mapping

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from genlab.core.errors import ConfigError
from genlab.models.layers.equalised import EqualisedConv2d, EqualisedLinear
from genlab.models.layers.weights import is_set_apart

EQUALISED = (EqualisedConv2d, EqualisedLinear)
LAYERS_WITH_WEIGHT = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding, *EQUALISED)


def normalise_players(players: Mapping[str, nn.Module], names: Iterable[str]) -> None:
    """Normalise the networks of these players.

    Raises ConfigError for one without a weight to normalise, and for one with a layer that starts at zero.
    """
    for name in names:
        layers = layers_to_normalise(players[name])
        if not layers:
            raise ConfigError(
                f"model.spectral_norm: the {name} has no weight that could be normalised. Its layers are normalised "
                "already, or not trained. Leave it out."
            )
        if not all(layer.weight.any() for layer in layers):
            raise ConfigError(
                f"model.spectral_norm: the {name} has layers that start at zero (Zhang et al. 2019, Fixup), and zero "
                "cannot be brought to norm 1. Leave it out."
            )
        normalise_spectrum(players[name])


def normalise_spectrum(network: nn.Module) -> None:
    """Divide every weight by its largest singular value: Miyato et al. 2018, equation 8.

    The value is estimated with one power iteration each time that a weight is used in training (algorithm 1), and
    none in evaluation. A layer with an equalised learning rate no longer scales its weight, whose norm is then 1 as
    anywhere; it still starts from N(0, 1), so that Adam moves all layers at one speed. Modulated convolutions, which
    bring every image's weights to a norm of their own, layers that are set apart, weights that are not trained, and
    those that something else parametrises are left as they are.
    """
    for layer in layers_to_normalise(network):
        if isinstance(layer, EQUALISED):
            layer.weight_scale = 1.0
        spectral_norm(layer, n_power_iterations=1)


def layers_to_normalise(network: nn.Module) -> list[nn.Module]:
    """Return the layers that have a weight, about which nothing else decides."""
    return [
        layer
        for layer in network.modules()
        if isinstance(layer, LAYERS_WITH_WEIGHT)
        and not (is_set_apart(layer) or is_parametrized(layer))
        and isinstance(layer.weight, nn.Parameter)
    ]
