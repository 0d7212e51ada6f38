"""One player's turn: the only place where gradients are made and applied."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.core.random import Draws, mix, reseed_global
from genlab.trainers.statistics import Statistics
from genlab.trainers.system import Player

# Turns between measured gradient norms. A norm reads all gradients, which costs 4 % of a small network's step; a
# non-finite gradient between two measurements shows in the next turn's loss.
TURNS_PER_NORM = 16


class Losses(NamedTuple):
    terms: dict[str, Tensor]  # one number a sample [N] each; their sum is minimised
    stats: dict[str, Tensor] = {}  # only published, under the name of a term in its place


@dataclass(frozen=True)
class Phase:
    """A player's turn: its parameters, and the loss that moves them."""

    name: str  # the player's, or a lazy penalty's
    player: str
    loss: Callable[[Any, Draws], Losses]  # (this phase, draws) -> the terms of one micro-batch
    every: int = 1  # turns of the player between two of this phase, which is as many times as strong
    float32: bool = False  # under mixed precision too, for gradient penalties


@dataclass(frozen=True)
class Clip:
    """Bounds a player's gradient."""

    norm: float | None = None  # of the whole gradient
    value: float | None = None  # of each element

    @property
    def active(self) -> bool:
        return self.norm is not None or self.value is not None

    def __call__(self, parameters: list[nn.Parameter]) -> Tensor:
        """Clip gradients in place, and return their norm before."""
        grads = [param.grad for param in parameters if param.grad is not None]
        norm = torch.stack(torch._foreach_norm(grads)).norm()
        if self.norm is not None:
            torch._foreach_mul_(grads, (self.norm / (norm + 1e-6)).clamp(max=1))
        if self.value is not None:
            torch._foreach_clamp_min_(grads, -self.value)
            torch._foreach_clamp_max_(grads, self.value)
        return norm


@dataclass(frozen=True)
class Engine:
    """Settings that every turn is computed with."""

    device: torch.device
    dtype: torch.dtype  # of weights and images
    autocast: torch.dtype | None
    seed: int
    batch_size: int  # images over all ranks
    accumulate: int
    clip: Clip

    def precision(self, phase: Phase) -> AbstractContextManager:
        mixed = self.autocast is not None and not phase.float32
        return torch.autocast(self.device.type, self.autocast) if mixed else nullcontext()


def take_turn(phase: Phase, players: dict[str, Player], engine: Engine, statistics: Statistics, step: int) -> None:
    """Freeze the other players, sum gradients over micro-batches, average over ranks, clip, step."""
    player = players[phase.player]
    for other in players.values():
        other.freeze(True)
    player.freeze(False)  # last: players may share parameters
    player.clear_gradients()
    reseed_global(mix(engine.seed, phase.name, player.turns, distributed.rank()), engine.device)
    for draws in micro_batches(phase, player, engine):
        with engine.precision(phase):
            losses = phase.loss(phase, draws)
        require_one_an_image(losses.terms)
        means = [term.mean(dtype=engine.dtype) for term in losses.terms.values()]
        total, weight = reduce(add, means), phase.every / engine.accumulate
        (total if weight == 1 else total * weight).backward()
        for name, values in (losses.terms | losses.stats).items():
            statistics.add(f"{phase.player}/{name}", values, step)
    distributed.average_gradients(player.parameters)
    if engine.clip.active or player.turns % TURNS_PER_NORM == 0:
        curve = "gradient_norm" if phase.name == phase.player else f"{phase.name}_gradient_norm"
        statistics.add(f"{phase.player}/{curve}", engine.clip(player.parameters), step)
    player.optimizer.step()


def require_one_an_image(terms: dict[str, Any]) -> None:
    """Raise ConfigError unless every term is [N]: the mean of another shape would weigh it by its size."""
    for name, term in terms.items():
        if not isinstance(term, Tensor) or term.ndim != 1:
            found = list(term.shape) if isinstance(term, Tensor) else type(term).__name__
            raise ConfigError(f"{name}: returned {found}, expected one number an image, [N] (turn.per_image).")


def micro_batches(phase: Phase, player: Player, engine: Engine) -> Iterator[Draws]:
    """Yield the draws of this rank's share of the batch, cut into `accumulate` pieces."""
    size = engine.batch_size // (distributed.world_size() * engine.accumulate)
    first = distributed.rank() * engine.accumulate * size
    for start in range(first, first + engine.accumulate * size, size):
        key = (engine.seed, phase.name, player.turns)
        yield Draws(key, engine.batch_size, start, start + size, engine.device, engine.dtype, player.images_shown)


def check_batch(batch_size: int, accumulate: int, images: int) -> None:
    if batch_size > images:
        raise ConfigError(f"trainer.batch_size={batch_size}: larger than the data, {images} images. Lower it.")
    pieces = accumulate * distributed.world_size()
    if batch_size % pieces:
        raise ConfigError(
            f"trainer.batch_size={batch_size}: must be a multiple of trainer.accumulate x ranks = {pieces}; "
            f"use {max(1, batch_size // pieces) * pieces}, or as many pieces and ranks as divide it."
        )
