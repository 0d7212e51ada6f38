"""Load torch-fidelity's Inception-v3, from a file of weights or by downloading them."""

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.weights import read_weights


def load_inception(weights: str | None) -> nn.Module:
    """Return the network from uint8 [N, 3, H, W] to a tuple of one: the 2,048 features.

    torch-fidelity reads its file with torch.load, which runs whatever a pickle says. Here the weights are read as
    tensors alone, and handed over through memory.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3  # slow to import

    buffer = io.BytesIO()
    torch.save(_download() if weights is None else _read_weights(Path(weights).expanduser()), buffer)
    buffer.seek(0)
    try:
        return FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=buffer)
    except (AttributeError, LookupError, RuntimeError, TypeError) as error:
        problem = f"metrics.extractor.weights={weights}: these are not the weights of torch-fidelity's Inception-v3."
        raise ConfigError(f"{problem} {_hint()}") from error


def _read_weights(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigError(f"metrics.extractor.weights={path}: there is no such file. {_hint()}")
    return read_weights(path, f"metrics.extractor.weights={path}", _hint())


def _download() -> dict[str, Any]:
    """Download the weights once, into torch.hub's cache, and check them by the hash in the file's name."""
    try:
        return torch.hub.load_state_dict_from_url(
            _url(), map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:  # no network, no such address, or a damaged file
        raise ConfigError(f"Inception's weights could not be downloaded ({error}). {_hint()}") from error


def _url() -> str:
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    return URL_INCEPTION_V3


def _hint() -> str:
    return (
        f"Either run once where {_url()} can be reached, or copy that file here and "
        "set metrics.extractor.weights=FILE; metrics=none trains without scores."
    )
