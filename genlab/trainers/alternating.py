"""The strategy of most GANs: the discriminator's turns, then the generator's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from genlab.core import ramp
from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.types import Count, NonNegative, Positive, ProperShare, Share, Whole
from genlab.losses import Penalty, Turn
from genlab.losses.turn import Generated, each
from genlab.models.contract import MultiStage
from genlab.models.layer_contract import mixes_batch
from genlab.trainers.frozen_layers import blank, freeze_first
from genlab.trainers.replay import Replay
from genlab.trainers.schedules import at
from genlab.trainers.top_k import TopK
from genlab.trainers.trainer import Run, System, Trainer
from genlab.trainers.turns import Losses, Phase

if TYPE_CHECKING:
    from genlab.data.stream import Stream

Adversarial = Callable[[Turn], Losses]


class Way(NamedTuple):
    """Who plays in a turn, and for which images."""

    generator: nn.Module
    discriminator: nn.Module
    stream: Stream
    replay: Replay | None


class Alternating(Trainer):
    """`n_critic` turns of the discriminator, then `n_generator` of the generator: Goodfellow et al. 2014, algorithm 1.

    Either number may be a staircase in images: `{0: 5, 200000: 1}`.
    """

    moves: ClassVar[frozenset[str]] = frozenset({"discriminator", "generator"})

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        n_critic: Count | dict[Whole, Count] = 1,
        n_generator: Count | dict[Whole, Count] = 1,
        clip_weights: Positive | None = None,  # of the critic, after its turn: Arjovsky et al. 2017, algorithm 1
        flip_labels: ProperShare = 0.0,  # share of pairs shown to the discriminator as each other
        reuse_fakes: bool = False,  # generator first; its images serve the discriminator's first turn
        replay: Count | Callable[[Count], Replay] | None = None,  # images of earlier turns kept for the discriminator
        top_k: Share | TopK | None = None,  # share of its images that the generator learns from at the end
        adversarial_weight: NonNegative | ramp.Ramp = 1.0,  # of the loss in the generator's turn, beside its penalties
        freeze_discriminator: Whole = 0,  # of its layers, from the image on: for weights that come from `init_from`
        **shared: Any,  # what every trainer takes
    ) -> None:
        super().__init__(system, run, **shared)
        if reuse_fakes and (n_critic, n_generator) != (1, 1):
            raise ConfigError("trainer.reuse_fakes: needs trainer.n_critic=1 and trainer.n_generator=1.")
        self.n_critic, self.n_generator, self.clip_weights = n_critic, n_generator, clip_weights
        self.flip_labels, self.reuse_fakes = flip_labels, reuse_fakes
        self.adversarial_weight = adversarial_weight
        self.joint = not mixes_batch(self.model.discriminator)
        self.makes_pyramids = isinstance(self.model.generator, MultiStage)
        replay = partial(Replay, size=replay) if isinstance(replay, int) else replay
        self.replay = replay(self.batch_size) if replay else None
        self.way = Way(self.model.generator, self.model.discriminator, self.stream, self.replay)
        self.top_k = TopK(final=top_k) if isinstance(top_k, float) else top_k
        if freeze_discriminator:
            shown = blank(self.spec, self.model.conditional, self.device, self.engine.dtype)
            freeze_first(self.players["discriminator"], freeze_discriminator, *shown)
        self.kept: dict[tuple[nn.Module, int], Generated] = {}  # a generator's last images, by micro-batch
        losses = {"discriminator": self.discriminate, "generator": self.deceive}
        self.main = {player: self.main_phase(player, loss) for player, loss in losses.items()}
        self.lazy = {player: list(self.lazy_phases(player)) for player in losses}

    def take_step(self) -> None:
        before, n_critic = self.images, at(self.n_critic, self.images)
        if self.reuse_fakes:
            self.move_generator()
        for _ in range(n_critic):
            self.move_discriminator()
        if not self.reuse_fakes:
            for _ in range(at(self.n_generator, before)):
                self.move_generator()
        if self.ema:
            self.ema.update(self.images - before, self.images)

    @property
    def images_a_step(self) -> int | None:
        return self.batch_size * self.n_critic if isinstance(self.n_critic, int) else None

    @property
    def parts(self) -> dict[str, Any]:
        return super().parts | ({"replay": self.replay} if self.replay else {})

    def move_discriminator(self) -> None:
        self.move("discriminator")
        if self.replay:
            self.replay.end_turn()
        for name, augmentation in self.augmentations.items():
            for curve, value in augmentation.end_turn(self.batch_size).items():
                self.statistics.add(f"augment/{name}/{curve}", value, self.step)
        self.images += self.batch_size

    def move_generator(self) -> None:
        self.move("generator")

    def move(self, player: str) -> None:
        """The player's turn, and those of its lazy penalties that are due."""
        self.take_turn(self.main[player])
        self.players[player].end_turn(self.batch_size)
        for phase in self.lazy[player]:
            if self.players[player].turns % phase.every == 0:
                self.take_turn(phase)
        if player == "discriminator":
            self.limit_weights()

    @torch.no_grad()
    def limit_weights(self) -> None:
        if self.clip_weights is not None:
            weights = self.players["discriminator"].parameters
            torch._foreach_clamp_min_(weights, -self.clip_weights)
            torch._foreach_clamp_max_(weights, self.clip_weights)

    def main_phase(self, player: str, adversarial: Adversarial) -> Phase:
        """A player's loss, with the penalties of every turn."""
        penalties = {name: penalty for name, penalty in self.on(player).items() if penalty.every == 1}
        demands = demands_of(penalties.values())

        def loss(draws: Draws) -> Losses:
            return self.measure(partial(self.turn, player, player, draws, **demands), penalties, adversarial)

        return Phase(player, player, loss, float32=any(penalty.needs_float32 for penalty in penalties.values()))

    def lazy_phases(self, player: str) -> Iterator[Phase]:
        for name, penalty in self.on(player).items():
            if penalty.every > 1:
                phase = name if len(penalty.players) == 1 else f"{name}_{player}"
                loss = partial(self.lazy_loss, phase, player, name)
                yield Phase(phase, player, loss, every=penalty.every, float32=penalty.needs_float32)

    def lazy_loss(self, phase: str, player: str, name: str, draws: Draws) -> Losses:
        penalty = self.penalties[name]
        return self.measure(partial(self.turn, phase, player, draws, **demands_of([penalty])), {name: penalty})

    def measure(
        self, begin: Callable[..., Turn], penalties: dict[str, Penalty], adversarial: Adversarial | None = None
    ) -> Losses:
        """What there is to minimise in a turn: of a lazy penalty's, that alone."""
        turn = begin()
        losses = adversarial(turn) if adversarial else Losses({})
        return losses._replace(terms=losses.terms | {name: penalty(turn) for name, penalty in penalties.items()})

    def on(self, player: str) -> dict[str, Penalty]:
        return {name: penalty for name, penalty in self.penalties.items() if player in penalty.players}

    def discriminate(self, turn: Turn) -> Losses:
        """The loss of the discriminator's own turn, in which augmentations hear what it said of real images."""
        losses = self.judge(turn)
        for augmentation in self.augmentations.values():
            augmentation.observe(self.loss.certainty(turn.real_logits.detach(), turn.fake_logits.detach()))
        return losses

    def judge(self, turn: Turn) -> Losses:
        """The discriminator's loss."""
        real, fake = self.flip(turn.real_logits, turn.fake_logits, turn.draws)
        watched = {"real_logits": turn.real_logits, "fake_logits": turn.fake_logits}
        terms = {"adversarial": turn.per_image(self.loss.discriminator(real, fake))}
        return Losses(terms, watched | self.loss.watch(turn.real_logits, turn.fake_logits))

    def deceive(self, turn: Turn) -> Losses:
        """The generator's loss. While it has no weight, nothing is asked of the discriminator."""
        self.keep(turn)
        if not self.weight(turn) and self.on("generator"):
            return Losses({})
        real = turn.real_logits if self.loss.uses_real else None
        return Losses({"adversarial": self.best(self.loss.generator(turn.fake_logits, real), turn)})

    def weight(self, turn: Turn) -> float:
        """Of the loss in the generator's turn."""
        return ramp.at(self.adversarial_weight, turn.seen, turn.total)

    def keep(self, turn: Turn) -> None:
        """The generator's images for the discriminator's next turn, if that is to use them."""
        if self.reuse_fakes:
            self.kept[turn.generator, turn.draws.start] = each(torch.Tensor.detach, turn.generated)

    def best(self, values: Tensor, turn: Turn) -> Tensor:
        """Of the generator's loss those images that count, and as much as they do."""
        values = self.weight(turn) * turn.per_image(values)
        return self.top_k(values, turn.per_image(turn.fake_logits), turn.seen / turn.total) if self.top_k else values

    def turn(
        self,
        phase: str,
        player: str,
        draws: Draws,
        slopes: frozenset[str] = frozenset(),
        with_features: bool = False,
        way: Way | None = None,
    ) -> Turn:
        way, judging = way or self.way, phase == "discriminator"
        recalls = way.replay and player == "discriminator"
        return Turn(
            player=player,
            network=way.discriminator,
            generator=way.generator,
            images=lambda: self.as_made(way.stream.batch(phase, draws.position, draws)),
            labelled=lambda: way.stream.labelled(f"{phase}/labelled", draws.position, draws),
            noise=lambda: self.model.latent.draw(draws),
            draws=draws,
            condition=way.stream.labels(phase, draws.position, draws) if self.model.conditional else None,
            slopes=slopes,
            joint=judging and self.joint and not slopes,
            with_features=with_features,
            augmentation=partial(self.augment, draws=draws) if self.augmentations else None,
            kept=self.kept.pop((way.generator, draws.start), None) if judging else None,
            recall=partial(recalled, replay=way.replay, draws=draws, new=judging) if recalls else None,
            loss=self.loss,
            seen=self.images,
            total=self.total_images,
        )

    def as_made(self, images: Tensor) -> Tensor:
        """Real images in the form that generated ones have, where that is no single image."""
        return self.model.generator.build_pyramid(images) if self.makes_pyramids else images

    def augment(self, images: Tensor, purpose: str, *, draws: Draws) -> Tensor:
        """Images as the discriminator is shown them: each augmentation in its order, with draws of its own.

        Several of one pyramid, one behind the other, are changed alike.
        """
        seen = self.images / self.total_images
        parts = images.split(self.spec.channels, 1) if self.makes_pyramids else [images]
        for name, augmentation in self.augmentations.items():
            parts = [augmentation(part, draws.of(f"{name}/{purpose}"), seen) for part in parts]
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]

    def flip(self, real: Tensor, fake: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Some pairs swapped, which flips both their labels: Salimans et al. 2016's advice against a sure critic."""
        if not self.flip_labels:
            return real, fake
        swap = draws.uniform("flip_labels", *[1] * (real.ndim - 1)) < self.flip_labels
        return torch.where(swap, fake, real), torch.where(swap, real, fake)


def demands_of(penalties: Iterable[Penalty]) -> dict[str, Any]:
    """What a turn must prepare for its penalties."""
    penalties = list(penalties)
    return {
        "slopes": frozenset().union(*(penalty.slopes for penalty in penalties)),
        "with_features": any(penalty.needs_features for penalty in penalties),
    }


def recalled(generated: Generated, *, replay: Replay, draws: Draws, new: bool) -> Generated:
    """With earlier images among them. A lazy penalty's turn adds nothing to the history."""
    if new:
        replay.remember(generated, draws)
    return replay.mix(generated, draws)
