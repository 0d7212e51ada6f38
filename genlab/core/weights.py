"""Files of weights that a user names, and how weights differ from those of a network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.tensor_file import read_tensors

MAX_NAMED = 3  # weights in a message


def read_weights(path: Path, key: str, hint: str) -> dict[str, Tensor]:
    """Return the tensors in a file of PyTorch weights, by name; no code in the file is run.

    Raises ConfigError, which names the key and gives the hint, for anything else.
    """
    try:
        found = read_tensors(path)
        if not holds_weights(found):
            raise ValueError("it holds no tensors by name")
    except ValueError as error:
        raise ConfigError(f"{key}: not a file of PyTorch weights: {error}. {hint}") from error
    return found


def holds_weights(found: Any) -> bool:
    """Return whether an object is a mapping of names to tensors, as `state_dict` gives."""
    return isinstance(found, Mapping) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in found.items())


def load_state(part: Any, saved: Any, name: str) -> None:
    """Load a saved state into a part. Raises ValueError with what does not fit."""
    try:
        part.load_state_dict(saved)
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = describe_misfit(part.state_dict(), saved) or "its values are of other kinds"
        raise ValueError(f"{name} does not fit: {reason}") from error


def describe_misfit(expected: Mapping[str, Any], found: Any) -> str:
    """Return in words how saved weights differ from those of a network; nothing if names and shapes are the same."""
    if not isinstance(found, Mapping):
        return "it holds no weights"
    known = {name: value for name, value in expected.items() if isinstance(value, Tensor)}
    missing = [name for name in known if name not in found]
    strange = [str(name) for name in found if name not in expected]
    other = [
        f"{name} is {shape_of(found[name])}, and {shape_of(value)} here"
        for name, value in known.items()
        if name in found and shape_of(found[name]) != shape_of(value)
    ]
    kinds = {"it lacks": missing, "it has besides": strange, "of another shape:": other}
    return "; ".join(f"{words} {name_few(names)}" for words, names in kinds.items() if names)


def shape_of(value: Any) -> str:
    return str(list(value.shape)) if isinstance(value, Tensor) else "no tensor"


def name_few(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" * (len(names) > MAX_NAMED)
    return ", ".join(names[:MAX_NAMED]) + more
