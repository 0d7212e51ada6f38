"""Phases of two players: everything that a turn against the other player needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data.stream import Stream
from genlab.losses import AdversarialLoss, Penalty, Turn
from genlab.losses.turn import Generated
from genlab.models.layer_contract import tracks_in_discriminator_turn
from genlab.trainers.replay import Replay
from genlab.trainers.turns import Losses, Phase


class Opponents(NamedTuple):
    """The two networks of a turn, the images they play for, and the history of generated ones."""

    generator: nn.Module
    discriminator: nn.Module
    stream: Stream
    replay: Replay | None


@dataclass(frozen=True)
class AdversarialPhase(Phase):
    """A player's turn against the other: its penalties and, unless the turn is a lazy penalty's, its loss."""

    adversarial: Callable[[Turn], Losses] | None = None
    penalties: dict[str, Penalty] = field(default_factory=dict)
    slopes: frozenset[str] = frozenset()  # inputs, `real` and `fake`, that penalties differentiate by
    with_features: bool = False  # a penalty reads features
    opponents: Opponents | None = None  # None: the trainer's own


def make_phase(
    name: str,
    player: str,
    loss: Callable[[AdversarialPhase, Draws], Losses],
    penalties: dict[str, Penalty],
    **options: Any,
) -> AdversarialPhase:
    """Return a phase whose turns prepare what its penalties ask for."""
    terms = penalties.values()
    return AdversarialPhase(
        name,
        player,
        loss,
        float32=any(penalty.needs_float32 for penalty in terms),
        penalties=penalties,
        slopes=frozenset().union(*(penalty.slopes for penalty in terms)),
        with_features=any(penalty.needs_features for penalty in terms),
        **options,
    )


def require_reuse(generator: nn.Module, turns: tuple[Any, Any]) -> None:
    """Raise ConfigError unless a generator's images serve the discriminator's turn: one turn each, of a step."""
    if turns != (1, 1):
        raise ConfigError("trainer.reuse_fakes: needs trainer.n_critic=1 and trainer.n_generator=1.")
    if tracks_in_discriminator_turn(generator):
        raise ConfigError(
            "trainer.reuse_fakes=true: this generator tracks its means in the discriminator's turn, which would make "
            "no images. Set it to false."
        )


def mix_in_replay(generated: Generated, *, replay: Replay, draws: Draws, new: bool) -> Generated:
    """Replace some images by earlier ones. With `new` the images go into the history after the turn."""
    if new:
        replay.add(generated, draws)
    return replay.mix_in(generated, draws)


def in_data_units(loss: AdversarialLoss, turn: Turn, unit: float) -> dict[str, Tensor]:
    """Return the loss's watched numbers; distances times `unit`, by which the discriminator's images were divided."""
    watched = loss.watch(turn.real_logits, turn.fake_logits)
    if unit == 1 or not loss.watches_distances:
        return watched
    return {name: value * unit for name, value in watched.items()}
