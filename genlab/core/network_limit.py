"""Holds networks that a config of somebody else describes to a size that the weights beside it justify.

Building is refused at the first tensor, weight or layer too many, before memory is taken for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from genlab.core.errors import ConfigError

MIB = 2**20
MAX_LAYERS = 5_000  # layers and weights of a model: the largest here have under 1,000
FACTOR = 8  # bytes of a model for each byte of a checkpoint: of a pretrained network it may keep a tenth, and
SPARE = 32 * MIB  # ... small checkpoints tell little
ABSENT = 84  # bytes of a discriminator, which exported files leave out, for each byte of a generator, and
MAX_ABSENT = 496 * MIB  # ... of all: super-resolution's has 530 MiB beside a generator of 6 MiB
FACTORIES = frozenset(
    {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint, torch.eye}
    | {torch.empty_strided, torch.arange, torch.linspace, torch.randperm, torch.normal}
)
REGISTER_LAYER = hooks.register_module_module_registration_hook
REGISTER_WEIGHTS = (hooks.register_module_parameter_registration_hook, hooks.register_module_buffer_registration_hook)


def call_at_registration(watch: Callable[[Any, str, Any], None], registers: Sequence[Callable]) -> ExitStack:
    """Call a function with each layer, name and part that layers register, until the returned stack is closed."""
    stack = ExitStack()
    for register in registers:
        stack.callback(register(watch).remove)
    return stack


class Limit(NamedTuple):
    """The bytes that a model may take, and the file whose weights justify no more."""

    most: int  # bytes
    source: str | Path

    def refusal(self, problem: str) -> ConfigError:
        return ConfigError(
            f"{self.source}: names a model {problem}. It is damaged, or was made to fill memory: use another copy."
        )

    def too_large(self) -> ConfigError:
        return self.refusal(f"that is far larger than the weights beside it, which fit up to {self.most // MIB:,} MiB")


def limit_of_checkpoint(parts: Mapping[str, Any], source: Path) -> Limit:
    """Return the limit of a checkpoint's model. The parts hold tensors at any depth."""
    return Limit(FACTOR * count_bytes(parts) + SPARE, source)


def limit_of_export(weights: Mapping[str, Tensor], source: str | Path) -> Limit:
    """Return the limit of an exported generator's model, which is built with its discriminator."""
    there = count_bytes(weights)
    return Limit(FACTOR * there + min(ABSENT * there, MAX_ABSENT) + SPARE, source)


def count_bytes(weights: Any) -> int:
    if isinstance(weights, Tensor):
        return weights.numel() * weights.element_size()
    return sum(map(count_bytes, weights.values())) if isinstance(weights, Mapping) else 0


class TensorLimit(TorchFunctionMode):
    """Raises ConfigError where a tensor would be made of more values than are allowed."""

    def __init__(self, limit: Limit) -> None:
        super().__init__()
        self.limit = limit

    def __torch_function__(
        self, func: Callable, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func in FACTORIES and count_values(args, kwargs or {}) > self.limit.most:
            raise self.limit.too_large()
        return func(*args, **(kwargs or {}))


def count_values(args: Sequence[Any], named: Mapping[str, Any]) -> int:
    """Return how many values a tensor gets that is made of these arguments, with its size as a list or one by one."""
    given = [*args, *(value for name, value in named.items() if name in ("size", "steps", "end", "n", "m"))]
    lists = [one for one in given if isinstance(one, list | tuple)]
    sizes = lists or [[one for one in given if type(one) is int and one > 0]]
    return max(prod(one for one in size if type(one) is int) for size in sizes)


@contextmanager
def limited_networks(limit: Limit | None) -> Iterator[None]:
    """Raise ConfigError when what is built within has more bytes of weights than allowed, or too many layers."""
    if limit is None:
        yield
        return
    layers = total = 0

    def count(_: Any, __: str, part: Any) -> None:
        nonlocal layers, total
        layers, total = layers + 1, total + count_bytes(part)
        if total > limit.most:
            raise limit.too_large()
        if layers > MAX_LAYERS:
            raise limit.refusal(f"of more than {MAX_LAYERS:,} layers and weights")

    with call_at_registration(count, (REGISTER_LAYER, *REGISTER_WEIGHTS)), TensorLimit(limit):
        yield
