"""Phases of two players: what a turn against the other player needs, and which images of earlier turns it sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import nn

from genlab.core.random import Draws
from genlab.data.stream import Stream
from genlab.losses import Penalty, Turn
from genlab.losses.turn import Generated
from genlab.trainers.replay import Replay
from genlab.trainers.turns import Losses, Phase


class Way(NamedTuple):
    """Who plays in a turn, and for which images."""

    generator: nn.Module
    discriminator: nn.Module
    stream: Stream
    replay: Replay | None


@dataclass(frozen=True)
class Game(Phase):
    """A player's turn against the other: its loss, unless a lazy penalty has the turn to itself, and penalties."""

    adversarial: Callable[[Turn], Losses] | None = None
    penalties: dict[str, Penalty] = field(default_factory=dict)
    slopes: frozenset[str] = frozenset()  # which of `real` and `fake` they differentiate by
    with_features: bool = False  # one of them asks for features
    way: Way | None = None  # None: the trainer's own


def game(
    name: str, player: str, loss: Callable[[Game, Draws], Losses], penalties: dict[str, Penalty], **options: Any
) -> Game:
    """Return a phase whose turns prepare what its penalties ask for."""
    terms = penalties.values()
    return Game(
        name,
        player,
        loss,
        float32=any(penalty.needs_float32 for penalty in terms),
        penalties=penalties,
        slopes=frozenset().union(*(penalty.slopes for penalty in terms)),
        with_features=any(penalty.needs_features for penalty in terms),
        **options,
    )


def recalled(generated: Generated, *, replay: Replay, draws: Draws, new: bool) -> Generated:
    """With earlier images among them. A lazy penalty's turn adds nothing to the history."""
    if new:
        replay.remember(generated, draws)
    return replay.mix(generated, draws)
