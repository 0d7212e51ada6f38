"""Initialisation of residual networks' weights; biases start at zero."""

from typing import Literal

from torch import nn

WeightsName = Literal["xavier", "orthogonal"]


def initialise(weights: WeightsName, *networks: nn.Module) -> None:
    """Initialise all convolutions, linear layers and embeddings, except those set apart."""
    start = {"xavier": xavier, "orthogonal": orthogonal}[weights]
    for module in (module for network in networks for module in network.modules()):
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)) and not is_set_apart(module):
            start(module)
            if getattr(module, "bias", None) is not None:
                nn.init.zeros_(module.bias)


def xavier(module: nn.Module) -> None:
    """Initialise as Glorot and Bengio 2010, times sqrt(2) between ReLUs as in the code of Miyato et al. 2018."""
    inner = isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3)
    nn.init.xavier_uniform_(module.weight, gain=2**0.5 if inner else 1.0)


def orthogonal(module: nn.Module) -> None:
    """Initialise as Saxe et al. 2014; used by Brock et al. 2019, section 3."""
    nn.init.orthogonal_(module.weight)


def set_apart(layer: nn.Module) -> nn.Module:
    """Mark a layer that initialisation and normalisation of whole networks must skip, and return it."""
    layer.is_set_apart = True
    return layer


def is_set_apart(layer: nn.Module) -> bool:
    return getattr(layer, "is_set_apart", False)
