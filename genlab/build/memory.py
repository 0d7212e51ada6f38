"""Refuses networks that memory cannot hold: their weights are counted as they are made, before they are filled."""

from __future__ import annotations

import inspect
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.network_limit import REGISTER_WEIGHTS, call_at_registration
from genlab.models.contract import Model
from genlab.trainers import System

GIB = 2**30  # bytes
USUAL_SHARE = 8  # of memory, a part of 1 / 8: networks with fewer weights are made without a second look
MAX_TENSORS = 10_000  # of one system: more layers take minutes to make and never train
CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # files, on Linux
TOO_LARGE = re.compile(r"can't allocate memory|not enough memory|overflow|too large to convert|must fit", re.IGNORECASE)
Optimize = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class TooLarge(ConfigError):
    """Networks that need a second look before their weights are filled."""


class WeightCounter:
    """Counts the weights of all layers that are made while it is entered. Raises TooLarge beyond `most` bytes."""

    def __init__(self, most: float, config: Mapping[str, Any]) -> None:
        self.most, self.config, self.bytes = most, config, 0
        self.seen: dict[int, torch.Tensor] = {}  # by id; kept, so that no id is used again

    def __call__(self, module: nn.Module, name: str, tensor: torch.Tensor | None) -> None:
        if tensor is None or id(tensor) in self.seen:
            return
        self.seen[id(tensor)] = tensor
        self.bytes += count_bytes([tensor])
        if len(self.seen) > MAX_TENSORS:
            raise ConfigError(f"{largest_counts(self.config)}: so many layers never train. Set a smaller number.")
        if self.bytes > self.most:
            raise TooLarge

    def __enter__(self) -> WeightCounter:
        self.watching = call_at_registration(self, REGISTER_WEIGHTS)
        return self

    def __exit__(self, *error: object) -> None:
        self.watching.close()


def make_within_memory(make_model: Callable[[], Model], config: Mapping[str, Any]) -> Model:
    """Return what the function makes. Raises ConfigError, with keys to lower, for more weights than memory holds."""
    room = memory_of(config["trainer"].get("device", "auto"))
    try:
        with WeightCounter(room / USUAL_SHARE, config):
            return make_model()
    except (ConfigError, MemoryError, OverflowError, RuntimeError, TypeError) as error:
        if not is_too_large(error):
            raise
    needed = count_without_memory(make_model, config)
    if needed is None or needed > room:
        raise too_much(needed, room, config)
    return make_model()


def count_without_memory(make_model: Callable[[], Model], config: Mapping[str, Any]) -> int | None:
    """Return the bytes of a model's weights, of one that reads its numbers those up to there; None: beyond counting."""
    with torch.device("meta"), WeightCounter(math.inf, config) as counter:
        try:
            make_model()
        except (ConfigError, OverflowError, RuntimeError, TypeError) as error:
            if is_too_large(error):
                return None
            if len(counter.seen) > MAX_TENSORS:
                raise
    return counter.bytes


def is_too_large(error: BaseException) -> bool:
    """Tell whether a model was not made because of its size, by torch's words too."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:  # a re-raised error may be its own cause
        causes.append(cause)
    return any(isinstance(one, TooLarge | MemoryError) or TOO_LARGE.search(str(one)) for one in causes)


def require_memory_for_training(system: System, config: Mapping[str, Any]) -> None:
    """Raise ConfigError if weights, their gradients, the optimizers' state and the average exceed memory."""
    needed = count_bytes(system.model.generator.parameters()) if config["trainer"].get("ema") else 0
    for name, network in system.model.players.items():
        slots = numbers_kept(system.optimizers[name], f"optimizer.{name}") if name in system.optimizers else 0
        needed += count_bytes(network.parameters()) * (2 + slots)
    require_room(needed, memory_of(config["trainer"].get("device", "auto")), config)


def require_room(needed: int, room: int, config: Mapping[str, Any]) -> None:
    if needed > room:
        raise too_much(needed, room, config)


def too_much(needed: int | None, room: int, config: Mapping[str, Any]) -> ConfigError:
    """Return the refusal of networks that need so many bytes, which may be too many for torch to count."""
    amount = f"{needed / GIB:,.0f} GiB" if needed else "more memory than any machine has"
    return ConfigError(
        f"{largest_counts(config)}: the networks need {amount}, and there are {room / GIB:,.0f} GiB here. "
        "Set a smaller number."
    )


def largest_counts(config: Mapping[str, Any]) -> str:
    """Return the words that set the largest numbers among those that networks are sized by."""
    leaves = [*leaves_of(config["model"], "model"), ("data.size", config["data"].get("size"))]
    counts = {key: largest(value) for key, value in leaves}
    top = max(counts.values())
    return " and ".join(f"{key}={value}" for key, value in leaves if top and counts[key] * 2 >= top) or "model"


def leaves_of(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Yield each key of a config that holds a plain value or a list, with it."""
    if not isinstance(node, Mapping):
        yield key, node
        return
    for name, value in node.items():
        yield from leaves_of(value, f"{key}.{name}")


def largest(value: Any) -> int:
    """Return the largest whole number in a value; 0 if it holds none."""
    if isinstance(value, list | tuple):
        return max(map(largest, value), default=0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def memory_of(device: str) -> int:
    """Return the bytes that a process may use where networks are made, and on the device that they are moved to."""
    limits = [path.read_text().strip() for path in map(Path, CONTAINER_LIMITS) if path.is_file()]
    rooms = [int(limit) for limit in limits if limit.isdecimal()]
    if sys.platform != "win32":
        rooms.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    if device.startswith(("auto", "cuda")) and torch.cuda.is_available():
        rooms.append(torch.cuda.get_device_properties(0).total_memory)
    return min(rooms, default=2**62)


def count_bytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def numbers_kept(optimize: Optimize, key: str) -> int:
    """Return how many numbers an optimizer keeps for each parameter. Raises ConfigError if it takes no plain step."""
    optimizer = optimize([nn.Parameter(torch.zeros(4, 2))])
    try:
        return state_per_parameter(optimizer)
    except (RuntimeError, TypeError) as error:
        reason = "its step takes other arguments" if isinstance(error, TypeError) else error
        raise ConfigError(
            f"{key}: {type(optimizer).__name__} cannot train these networks ({reason}). Choose another `_target_`, "
            "such as torch.optim.Adam."
        ) from error


def state_per_parameter(optimizer: torch.optim.Optimizer) -> int:
    """Count the numbers kept for each parameter by a step on a toy: an optimizer has no state before its first step."""
    toy = nn.Parameter(torch.zeros(4, 2, device=optimizer.param_groups[0]["params"][0].device))
    toy.grad = torch.ones_like(toy)
    known = inspect.signature(type(optimizer)).parameters
    twin = type(optimizer)([toy], **{name: value for name, value in optimizer.defaults.items() if name in known})
    twin.step()
    return sum(torch.is_tensor(value) and value.numel() == toy.numel() for value in twin.state[toy].values())
