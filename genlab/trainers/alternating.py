"""The strategy of most GANs: the discriminator's turns, then the generator's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.schedule import Changing, value_at
from genlab.core.types import Count, NonNegative, Positive, ProperShare, Share, Whole
from genlab.losses import Penalty, Turn
from genlab.losses.turn import Generated, each
from genlab.models.contract import MultiStage
from genlab.models.layer_contract import mixes_batch
from genlab.trainers.frozen_layers import blank, freeze_first
from genlab.trainers.game import Game, Way, game, recalled
from genlab.trainers.replay import Replay
from genlab.trainers.system import Run, System
from genlab.trainers.top_k import TopK, best_of
from genlab.trainers.trainer import Trainer
from genlab.trainers.turns import Losses

if TYPE_CHECKING:
    from genlab.data.stream import Stream


class Alternating(Trainer):
    """`n_critic` turns of the discriminator, then `n_generator` of the generator: Goodfellow et al. 2014, algorithm 1.

    Either number may change over the run, such as a staircase in images: `{0: 5, 200000: 1}`.
    """

    moves: ClassVar[frozenset[str]] = frozenset({"discriminator", "generator"})

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        n_critic: Changing[Count] = 1,
        n_generator: Changing[Count] = 1,
        clip_weights: Positive | None = None,  # of the critic, after its turn: Arjovsky et al. 2017, algorithm 1
        flip_labels: ProperShare = 0.0,  # share of pairs shown to the discriminator as each other
        reuse_fakes: bool = False,  # generator first; its images serve the discriminator's first turn
        replay: Count | Callable[[Count], Replay] | None = None,  # images of earlier turns kept for the discriminator
        top_k: Changing[Share] | None = None,  # share of images that the generator learns from; a number: at the end
        adversarial_weight: Changing[NonNegative] = 1.0,  # of the loss in the generator's turn, beside its penalties
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
        self.top_k = TopK(final=top_k) if isinstance(top_k, (int, float)) else top_k
        if freeze_discriminator:
            shown = blank(self.spec, self.model.conditional, self.device, self.engine.dtype)
            freeze_first(self.players["discriminator"], freeze_discriminator, *shown)
        self.kept: dict[tuple[nn.Module, int], Generated] = {}  # a generator's last images, by micro-batch
        losses = {"discriminator": self.discriminate, "generator": self.deceive}
        self.main = {player: self.main_phase(player, loss) for player, loss in losses.items()}
        self.lazy = {player: list(self.lazy_phases(player)) for player in losses}

    def take_step(self) -> None:
        """Take the discriminator's turns, then the generator's, and let the averaged weights follow.

        In the order of the calls, from here to `optimizer.step`:

        1. `move` takes a player's main phase, then those of its lazy penalties that are due.
        2. `Trainer.take_turn` sets the learning rate, and `turns.take_turn` freezes the other players and cuts the
           batch into micro-batches. Of each it asks the phase's loss, which is `measure`.
        3. `measure` begins a `Turn` by `turn`, and adds what `discriminate` or `deceive` (the adversarial loss) and the
           penalties' formulas make of it. The turn draws images and noise, by `real_images` and `noise`, and runs the
           networks when a formula first asks for their output.
        4. `turns.take_turn` sums the terms' means, goes backward, averages gradients over ranks, clips them, and lets
           the player's optimizer step.
        """
        before = self.images
        if self.reuse_fakes:
            self.move("generator")
        for _ in range(self.turns_now(self.n_critic, before)):
            self.move("discriminator")
        if not self.reuse_fakes:
            for _ in range(self.turns_now(self.n_generator, before)):
                self.move("generator")
        if self.ema:
            self.ema.update(self.images - before, self.images)

    def turns_now(self, number: Changing[Count], seen: int) -> int:
        """Return how many turns a player takes in a step after `seen` images, one at least."""
        return max(1, round(value_at(number, seen, self.total_images)))

    @property
    def images_a_step(self) -> int | None:
        return self.batch_size * self.n_critic if isinstance(self.n_critic, int) else None

    @property
    def parts(self) -> dict[str, Any]:
        return super().parts | ({"replay": self.replay} if self.replay else {})

    def move(self, player: str) -> None:
        """Take the player's turn, and those of its lazy penalties that are due."""
        self.take_turn(self.main[player])
        self.players[player].end_turn(self.batch_size)
        for phase in self.lazy[player]:
            if self.players[player].turns % phase.every == 0:
                self.take_turn(phase)
        if player == "discriminator":
            self.end_discriminator_turn()

    def end_discriminator_turn(self) -> None:
        self.limit_weights()
        if self.replay:
            self.replay.end_turn()
        for name, augmentation in self.augmentations.items():
            for curve, value in augmentation.end_turn(self.batch_size).items():
                self.statistics.add(f"augment/{name}/{curve}", value, self.step)
        self.images += self.batch_size

    @torch.no_grad()
    def limit_weights(self) -> None:
        if self.clip_weights is not None:
            weights = self.players["discriminator"].parameters
            torch._foreach_clamp_min_(weights, -self.clip_weights)
            torch._foreach_clamp_max_(weights, self.clip_weights)

    def main_phase(self, player: str, loss: Callable[[Turn], Losses]) -> Game:
        """Return the phase of a player's loss, with the penalties of every turn."""
        penalties = {name: penalty for name, penalty in self.on(player).items() if penalty.every == 1}
        return game(player, player, self.measure, penalties, adversarial=loss)

    def lazy_phases(self, player: str) -> Iterator[Game]:
        for name, penalty in self.on(player).items():
            if penalty.every > 1:
                phase = name if len(penalty.players) == 1 else f"{name}_{player}"
                yield game(phase, player, self.measure, {name: penalty}, every=penalty.every)

    def measure(self, phase: Game, draws: Draws) -> Losses:
        """Return the terms a turn minimises: loss and penalties, or one lazy penalty alone."""
        turn = self.turn(phase, draws)
        losses = phase.adversarial(turn) if phase.adversarial else Losses({})
        terms = dict(losses.terms)
        for name, penalty in phase.penalties.items():
            terms[name] = penalty(turn)
        return Losses(terms, losses.stats)

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
        return value_at(self.adversarial_weight, turn.seen, turn.total)

    def keep(self, turn: Turn) -> None:
        """The generator's images for the discriminator's next turn, if that is to use them."""
        if self.reuse_fakes:
            self.kept[turn.generator, turn.draws.start] = each(torch.Tensor.detach, turn.generated)

    def best(self, values: Tensor, turn: Turn) -> Tensor:
        """Of the generator's loss those images that count, and as much as they do."""
        values = self.weight(turn) * turn.per_image(values)
        if self.top_k is None:
            return values
        return best_of(values, turn.per_image(turn.fake_logits), value_at(self.top_k, turn.seen, turn.total))

    def turn(self, phase: Game, draws: Draws, player: str | None = None, **options: Any) -> Turn:
        """Begin a turn: of the phase's player, or one that sees what another player would."""
        way, judging, player = phase.way or self.way, phase.name == "discriminator", player or phase.player
        recalls = way.replay and player == "discriminator"
        return Turn(
            player=player,
            network=way.discriminator,
            generator=way.generator,
            images=partial(self.real_images, way.stream, phase.name),
            labelled=partial(self.labelled_images, way.stream, phase.name, draws),
            noise=partial(self.noise, way.stream, phase.name),
            draws=draws,
            condition=way.stream.labels(phase.name, draws.position, draws) if self.model.conditional else None,
            slopes=phase.slopes,
            joint=judging and self.joint and not phase.slopes,
            with_features=phase.with_features,
            augmentation=partial(self.augment, draws=draws) if self.augmentations else None,
            kept=self.kept.pop((way.generator, draws.start), None) if judging else None,
            recall=partial(recalled, replay=way.replay, draws=draws, new=judging) if recalls else None,
            loss=self.loss,
            seen=self.images,
            total=self.total_images,
            **options,
        )

    def real_images(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """A turn's real images, in the form that generated ones have, where that is no single image."""
        images = stream.batch(phase, turn.draws.position, turn.draws)
        return self.model.generator.build_pyramid(images) if self.makes_pyramids else images

    def labelled_images(self, stream: Stream, phase: str, draws: Draws) -> tuple[Tensor, Tensor]:
        """Images that have a class, and it."""
        return stream.labelled_batch(f"{phase}/labelled", draws.position, draws)

    def noise(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """The latents [N, L] of a turn's generated images."""
        return self.model.latent.draw(turn.draws)

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
