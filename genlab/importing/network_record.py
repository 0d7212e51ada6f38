"""A pickled torch module as plain data: its tensors by name, and its attributes."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

MOST = 4096  # of margins, taps, bounds and groups: networks of that many would fill memory


class NetworkRecord:
    """The record of a module with those of the modules in it. Raises ValueError for what is none."""

    def __init__(self, tensors: dict[str, Tensor], attributes: dict[str, dict[str, Any]]) -> None:
        self.tensors = tensors  # parameters and buffers, by their full names
        self.attributes = attributes  # of each module, by its full name

    @classmethod
    def of(cls, record: dict[str, Any]) -> "NetworkRecord":
        tensors: dict[str, Tensor] = {}
        attributes: dict[str, dict[str, Any]] = {}
        for name, state in walk_modules(record, ""):
            attributes[name] = state
            for kind in ("_parameters", "_buffers"):
                found = state.get(kind) or {}
                tensors |= {f"{name}{key}": value for key, value in found.items() if isinstance(value, Tensor)}
        return cls(tensors, attributes)

    def __getitem__(self, name: str) -> Tensor:
        """Return a tensor in float32. Raises ValueError if it is missing."""
        if name not in self.tensors:
            raise ValueError(f"a network in it has no {name}")
        return self.tensors[name].float()

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def attribute(self, module: str, name: str, default: Any = None) -> Any:
        """Return an attribute of a module, whose name ends in a dot; "" is the whole network."""
        return self.attributes.get(module, {}).get(name, default)

    def number(self, module: str, name: str, default: float | None = None) -> Any:
        """Return an attribute that is a number or None. Raises ValueError for another value."""
        return require_number(self.attribute(module, name, default), name)

    def count(self, pattern: str) -> int:
        """Return how many tensors there are of a name with 0, 1, ... in the place of `{}`."""
        number = 0
        while pattern.format(number) in self.tensors:
            number += 1
        return number


def require_number(value: Any, name: str) -> Any:
    """Return a number or None as it is. Raises ValueError for what no network is built with."""
    if value is not None and not (type(value) in (bool, int, float) and 0 <= value <= MOST):
        raise ValueError(f"its {name} is no number from 0 to {MOST}")
    return value


def walk_modules(record: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name with a dot at its end, and the state, of a module and of those in it."""
    state = record.get("state") if isinstance(record, dict) else None
    if not isinstance(state, dict):
        raise ValueError("a network in it holds other things than layers")
    yield name, state
    for key, inner in (state.get("_modules") or {}).items():
        if inner is not None:
            yield from walk_modules(inner, f"{name}{key}.")
