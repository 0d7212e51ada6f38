"""Loading of published weights of torchvision's networks, from a file or by download."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights

from genlab.core.errors import ConfigError
from genlab.core.weights import describe_misfit, read_weights

NetworkBuilder = Callable[[], nn.Module]  # a model of torchvision.models


def load_weights(model: nn.Module, weights: str | None, network: NetworkBuilder, key: str, part: str = "") -> None:
    """Load the weights of a file, or those that `download` fetches, into a model.

    `network` is the torchvision model that the weights belong to, `part` a prefix of the names to load, and `key` the
    config key that errors name. Raises ConfigError without weights, and for weights of another network.
    """
    if weights is None:
        raise ConfigError(f"{key}.weights: missing. It looks through a pretrained network. {hint(network, key)}")
    state = download(network, key) if weights == "download" else read_file(Path(weights).expanduser(), network, key)
    wanted = {name: value for name, value in state.items() if name.startswith(part)}
    try:
        model.load_state_dict(wanted)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = describe_misfit(model.state_dict(), wanted)
        raise ConfigError(
            f"{key}.weights={weights}: unfit for {name_of(network)} ({reason}). {hint(network, key)}"
        ) from error


def read_file(path: Path, network: NetworkBuilder, key: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise ConfigError(f"{key}.weights={path}: there is no such file. {hint(network, key)}")
    return read_weights(path, f"{key}.weights={path}", hint(network, key))


def download(network: NetworkBuilder, key: str) -> dict[str, Tensor]:
    """Return the published weights, kept in torch.hub's cache; the hash in the file's name is checked."""
    if not weights_url(network):
        raise ConfigError(
            f"{key}.weights=download: torchvision publishes none of {name_of(network)}. {hint(network, key)}"
        )
    try:
        return torch.hub.load_state_dict_from_url(
            weights_url(network), map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:  # no network, no such address, or a damaged file
        raise ConfigError(f"{key}.weights=download: failed ({error}). {hint(network, key)}") from error


def weights_url(network: NetworkBuilder) -> str | None:
    """Return the URL of torchvision's weights; None if it publishes none."""
    try:
        return get_model_weights(unwrap_partial(network)).DEFAULT.url
    except (ValueError, AttributeError):
        return None


def unwrap_partial(network: NetworkBuilder) -> Callable[..., nn.Module]:
    return network.func if isinstance(network, partial) else network


def name_of(network: NetworkBuilder) -> str:
    return getattr(unwrap_partial(network), "__name__", "the network")


def hint(network: NetworkBuilder, key: str) -> str:
    where = f" (torchvision's are at {weights_url(network)})" if weights_url(network) else ""
    return (
        f"Give the file with {name_of(network)}'s weights, {key}.weights=FILE{where}; or {key}.weights=download where "
        f"there is a network; or {key}.weights=random for an untrained one, which teaches less."
    )
