"""Weights that others publish for networks of torchvision: from a file, or downloaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights

from genlab.core.errors import ConfigError

Build = Callable[[], nn.Module]  # a model of torchvision.models


def load(model: nn.Module, weights: str | None, network: Build, key: str, part: str = "") -> None:
    """Gives a model the weights of a file, or of the address that `download` stands for.

    `network` is whose weights they are, `part` what the names of those begin with that the model has, and `key` where
    all this is configured. Raises ConfigError where there are no weights, or others than the network's.
    """
    if weights is None:
        raise ConfigError(f"{key}.weights: missing. It looks through a pretrained network. {ways(network, key)}")
    state = downloaded(network, key) if weights == "download" else read(Path(weights).expanduser(), network, key)
    try:
        model.load_state_dict({name: value for name, value in state.items() if name.startswith(part)})
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines()[1:] or [str(error)])[0].strip()[:200]  # the first of many differences
        raise ConfigError(
            f"{key}.weights={weights}: unfit for {name_of(network)} ({reason}). {ways(network, key)}"
        ) from error


def read(path: Path, network: Build, key: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise ConfigError(f"{key}.weights={path}: there is no such file. {ways(network, key)}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no such file makes the unpickler raise whatever it likes
        raise ConfigError(f"{key}.weights={path}: not a file of PyTorch weights. {ways(network, key)}") from error


def downloaded(network: Build, key: str) -> dict[str, Tensor]:
    """Kept in torch.hub's cache; the hash in the file's name is checked."""
    if not address(network):
        raise ConfigError(
            f"{key}.weights=download: torchvision publishes none of {name_of(network)}. {ways(network, key)}"
        )
    try:
        return torch.hub.load_state_dict_from_url(
            address(network), map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:  # no network, no such address; damaged on the way
        raise ConfigError(f"{key}.weights=download: failed ({error}). {ways(network, key)}") from error


def address(network: Build) -> str | None:
    """Where torchvision publishes the weights; None if it does not."""
    try:
        return get_model_weights(builder(network)).DEFAULT.url
    except (ValueError, AttributeError):
        return None


def builder(network: Build) -> Callable[..., nn.Module]:
    return network.func if isinstance(network, partial) else network


def name_of(network: Build) -> str:
    return getattr(builder(network), "__name__", "the network")


def ways(network: Build, key: str) -> str:
    where = f" (torchvision's are at {address(network)})" if address(network) else ""
    return (
        f"Give the file with {name_of(network)}'s weights, {key}.weights=FILE{where}; or {key}.weights=download where "
        f"there is a network; or {key}.weights=random for an untrained one, which teaches less."
    )
