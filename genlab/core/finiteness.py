"""A check that all numbers of a run's state are finite."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from genlab.core.errors import Diverged


def require_finite(parts: dict[str, Any]) -> None:
    """Raise Diverged if a number of a run's state is not finite."""
    names = find_non_finite(parts)
    if names:
        more = f" (and {len(names) - 1} more of its state)" if len(names) > 1 else ""
        raise Diverged(f"the run diverged: {names[0]} is not finite{more}.")


def find_non_finite(parts: dict[str, Any]) -> list[str]:
    """Return the paths of numbers of a run's state that are nan or infinite; [] if all are finite.

    Of tensors that are all finite one flag is fetched from the device, whatever their number. The state of callbacks
    may hold infinite numbers, such as the best score before the first.
    """
    states = {name: part.state_dict() for name, part in parts.items() if not name.startswith("callback/")}
    numbers = list(iterate_numbers(states))
    tensors = [value for _, value in numbers if isinstance(value, Tensor)]
    found = [name for name, value in numbers if not isinstance(value, Tensor) and not math.isfinite(value)]
    if are_finite(tensors):
        return found
    return found + [name for name, value in numbers if isinstance(value, Tensor) and not are_finite([value])]


def iterate_numbers(state: Any, path: str = "") -> Iterator[tuple[str, Tensor | float]]:
    """Yield (path, number or tensor) of all floats and floating tensors in nested dicts and lists."""
    if isinstance(state, (dict, list, tuple)):
        for key, value in state.items() if isinstance(state, dict) else enumerate(state):
            yield from iterate_numbers(value, f"{path}/{key}" if path else str(key))
    elif isinstance(state, float) or (isinstance(state, Tensor) and (state.is_floating_point() or state.is_complex())):
        yield path, state


def are_finite(tensors: list[Tensor]) -> bool:
    """Return whether all numbers are finite: one synchronisation with the device."""
    if not tensors:
        return True
    device = next((tensor.device for tensor in tensors if tensor.device.type != "cpu"), tensors[0].device)
    return bool(torch.stack([tensor.isfinite().all().to(device) for tensor in tensors]).all())
