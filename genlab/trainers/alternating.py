"""The strategy of most GANs: the discriminator's turns, then the generator's."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from genlab.core.random import Draws
from genlab.core.schedule import Changing, value_at
from genlab.core.types import Amount, Count, NonNegative, Positive, ProperShare, Share, Whole
from genlab.data.stream import Stream
from genlab.losses import AdversarialLoss, Penalty, Turn
from genlab.losses.turn import Generated, map_fields
from genlab.models.contract import MultiStage
from genlab.models.layer_contract import mixes_batch
from genlab.trainers.frozen_layers import blank_input, freeze_first
from genlab.trainers.label_flips import FlipUnit, LabelFlips
from genlab.trainers.phases import AdversarialPhase, Opponents, in_data_units, make_phase, mix_in_replay, require_reuse
from genlab.trainers.replay import Replay
from genlab.trainers.schedules import TopK, select_best
from genlab.trainers.system import Run, System
from genlab.trainers.trainer import Trainer
from genlab.trainers.turns import Losses


class Alternating(Trainer):
    """`n_critic` turns of the discriminator, then `n_generator` of the generator: Goodfellow et al. 2014, algorithm 1.

    Either number may change over the run, such as a staircase in images: `{0: 5, 200000: 1}`.
    """

    loss: AdversarialLoss  # others refuse a system with a discriminator
    trained_players: ClassVar[frozenset[str]] = frozenset({"discriminator", "generator"})

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        n_critic: Changing[Count] = 1,
        n_generator: Changing[Count] = 1,
        clip_weights: Positive | None = None,  # of the critic, after its turn: Arjovsky et al. 2017, algorithm 1
        flip_labels: ProperShare = 0.0,  # share of real and generated logits that swap places
        flip_unit: FlipUnit = "pair",  # what is swapped at once: one pair, or the whole batch
        reuse_fakes: bool = False,  # generator first; its images serve the discriminator's first turn
        replay: Amount | Callable[[Count], Replay] | None = None,  # history of generated images for the discriminator
        top_k: Changing[Share] | None = None,  # share of images that the generator learns from; a number: the final one
        adversarial_weight: Changing[NonNegative] = 1.0,  # weight of the loss in the generator's turn
        freeze_discriminator: Whole = 0,  # number of its first layers: for weights that come from `init_from`
        **shared: Any,
    ) -> None:
        super().__init__(system, run, **shared)
        self.n_critic, self.n_generator, self.clip_weights = n_critic, n_generator, clip_weights
        self.flip_labels, self.swap_pairs = flip_labels, LabelFlips(flip_labels, flip_unit)
        self.reuse_fakes = reuse_fakes
        self.adversarial_weight = adversarial_weight
        generator, discriminator = self.model.players["generator"], self.model.players["discriminator"]
        if reuse_fakes:
            require_reuse(generator, (n_critic, n_generator))
        self.joint = not mixes_batch(discriminator)
        self.multi_stage = generator if isinstance(generator, MultiStage) else None
        replay = partial(Replay, size=replay) if isinstance(replay, int) else replay
        self.replay = replay(self.batch_size) if replay else None
        self.opponents = Opponents(generator, discriminator, self.stream, self.replay)
        self.top_k = TopK(final=top_k) if isinstance(top_k, (int, float)) else top_k
        if freeze_discriminator:
            blank = blank_input(self.spec, self.model.conditional, self.device, self.engine.dtype)
            freeze_first(self.players["discriminator"], freeze_discriminator, *blank)
        self.fakes_to_reuse: dict[tuple[nn.Module, int], Generated] = {}  # a generator's last images, by micro-batch
        losses = {"discriminator": self.discriminator_turn_losses, "generator": self.generator_losses}
        self.main_phases = {player: self.make_main_phase(player, loss) for player, loss in losses.items()}
        self.lazy_phases = {player: list(self.make_lazy_phases(player)) for player in losses}

    def take_step(self) -> None:
        """Take the discriminator's turns, then the generator's, and let the averaged weights follow.

        The calls, in order, from here to `optimizer.step`:

        1. `take_turns` takes a player's main phase, then those of its lazy penalties that are due.
        2. `Trainer.take_turn` sets the learning rate, and `turns.take_turn` freezes the other players and cuts the
           batch into micro-batches. For each it calls the phase's loss, `compute_losses`.
        3. `compute_losses` begins a `Turn`. From it the adversarial loss (`discriminator_turn_losses` or
           `generator_losses`) and the penalties compute their terms. The turn draws images and noise, by `real_images`
           and `noise`, and runs the networks when a formula first asks for their output.
        4. `turns.take_turn` sums the terms' means, goes backward, averages gradients over ranks, clips them, and lets
           the player's optimizer step.
        """
        before = self.images
        if self.reuse_fakes:
            self.take_turns("generator")
        for _ in range(self.turn_count(self.n_critic, before)):
            self.take_turns("discriminator")
        if not self.reuse_fakes:
            for _ in range(self.turn_count(self.n_generator, before)):
                self.take_turns("generator")
        if self.ema:
            self.ema.update(self.images - before, self.images)

    def turn_count(self, number: Changing[Count], seen: int) -> int:
        """Return how many turns a player takes in the step after `seen` images, at least one."""
        return max(1, round(value_at(number, seen, self.total_images)))

    @property
    def images_a_step(self) -> int | None:
        return self.batch_size * self.n_critic if isinstance(self.n_critic, int) else None

    @property
    def parts(self) -> dict[str, Any]:
        return super().parts | ({"replay": self.replay} if self.replay else {})

    def take_turns(self, player: str) -> None:
        """Take the player's main turn, then those of its lazy penalties that are due."""
        self.take_turn(self.main_phases[player])
        self.players[player].end_turn(self.batch_size)
        for phase in self.lazy_phases[player]:
            if self.players[player].turns % phase.every == 0:
                self.take_turn(phase)
        if player == "discriminator":
            self.end_discriminator_turn()

    def end_discriminator_turn(self) -> None:
        self.clip_critic()
        if self.replay:
            self.replay.end_turn()
        for name, augmentation in self.augmentations.items():
            for curve, value in augmentation.end_turn(self.batch_size).items():
                self.statistics.add(f"augment/{name}/{curve}", value, self.step)
        self.images += self.batch_size

    @torch.no_grad()
    def clip_critic(self) -> None:
        if self.clip_weights is not None:
            weights = tuple(self.players["discriminator"].parameters)
            torch._foreach_clamp_min_(weights, -self.clip_weights)
            torch._foreach_clamp_max_(weights, self.clip_weights)

    def make_main_phase(self, player: str, loss: Callable[[Turn], Losses]) -> AdversarialPhase:
        penalties = {name: penalty for name, penalty in self.penalties_of(player).items() if penalty.every == 1}
        return make_phase(player, player, self.compute_losses, penalties, adversarial=loss)

    def make_lazy_phases(self, player: str) -> Iterator[AdversarialPhase]:
        for name, penalty in self.penalties_of(player).items():
            if penalty.every > 1:
                phase = name if len(penalty.players) == 1 else f"{name}_{player}"
                yield make_phase(phase, player, self.compute_losses, {name: penalty}, every=penalty.every)

    def compute_losses(self, phase: AdversarialPhase, draws: Draws) -> Losses:
        """Return the terms a turn minimises: loss and penalties, or one lazy penalty alone."""
        turn = self.begin_turn(phase, draws)
        losses = phase.adversarial(turn) if phase.adversarial else Losses({})
        terms, stats = dict(losses.terms), dict(losses.stats)
        for name, penalty in phase.penalties.items():
            terms[name] = penalty(turn)
            stats |= penalty.watch(turn)
        return Losses(terms, stats)

    def penalties_of(self, player: str) -> dict[str, Penalty]:
        return {name: penalty for name, penalty in self.penalties.items() if player in penalty.players}

    def discriminator_turn_losses(self, turn: Turn) -> Losses:
        """Return the losses of the discriminator's turn, and let adaptive augmentations observe its logits."""
        losses = self.discriminator_losses(turn)
        weights = {} if turn.patch_weights is None else {"weights": turn.patch_weights}
        for augmentation in self.augmentations.values():
            certainty = self.loss.certainty(turn.real_logits.detach(), turn.fake_logits.detach())
            augmentation.observe(certainty, **weights)
        return losses

    def discriminator_losses(self, turn: Turn) -> Losses:
        real, fake = self.swap_pairs(turn.real_logits, turn.fake_logits, turn.draws)
        watched = {"real_logits": turn.real_logits, "fake_logits": turn.fake_logits}
        loss = self.loss.with_draws(turn.draws).with_patch_weights(turn.patch_weights)
        terms = {"adversarial": turn.per_image(loss.discriminator(real, fake))}
        unit = 1.0 if self.model.discriminates_codes else self.spec.scale
        watched = watched | in_data_units(loss, turn, unit)
        return Losses(terms, {name: turn.weigh_patches(values) for name, values in watched.items()})

    def generator_losses(self, turn: Turn) -> Losses:
        """Return the generator's losses. Beside penalties, a loss of weight 0 does not run the discriminator."""
        self.store_fakes(turn)
        if not self.adversarial_weight_at(turn) and self.penalties_of("generator"):
            return Losses({})
        real = turn.real_logits if self.loss.uses_real else None
        loss = self.loss.with_patch_weights(turn.patch_weights)
        return Losses({"adversarial": self.weigh_and_select(loss.generator(turn.fake_logits, real), turn)})

    def adversarial_weight_at(self, turn: Turn) -> float:
        return value_at(self.adversarial_weight, turn.images_seen, turn.total_images)

    def store_fakes(self, turn: Turn) -> None:
        """Keep the generator's images for the discriminator's next turn, with `reuse_fakes`."""
        if self.reuse_fakes:
            self.fakes_to_reuse[turn.generator, turn.draws.start] = map_fields(torch.Tensor.detach, turn.fake_batch)

    def weigh_and_select(self, values: Tensor, turn: Turn) -> Tensor:
        """Return the weighted loss [k] of the images that the generator learns from."""
        values = self.adversarial_weight_at(turn) * turn.per_image(values)
        if self.top_k is None:
            return values
        share = value_at(self.top_k, turn.images_seen, turn.total_images)
        return select_best(values, turn.per_image(turn.fake_logits), share)

    def begin_turn(self, phase: AdversarialPhase, draws: Draws, player: str | None = None, **options: Any) -> Turn:
        """Begin a turn of the phase's player, or of `player`, whose view of the images may differ."""
        opponents, player = phase.opponents or self.opponents, player or phase.player
        is_main_turn = phase.name == "discriminator"
        history = opponents.replay if player == "discriminator" else None
        return Turn(
            player=player,
            network=opponents.discriminator,
            generator=opponents.generator,
            images=partial(self.real_images, opponents.stream, phase.name),
            draw_labelled=partial(self.labelled_images, opponents.stream, phase.name, draws),
            noise=partial(self.noise, opponents.stream, phase.name),
            draws=draws,
            condition=opponents.stream.labels(phase.name, draws.position, draws) if self.model.conditional else None,
            slopes=phase.slopes,
            joint=is_main_turn and self.joint and not phase.slopes,
            with_features=phase.with_features,
            augmentation=partial(self.augment, draws=draws) if self.augmentations else None,
            ready_images=self.fakes_to_reuse.pop((opponents.generator, draws.start), None) if is_main_turn else None,
            mix_in_replay=partial(mix_in_replay, replay=history, draws=draws, new=is_main_turn) if history else None,
            loss=self.loss,
            images_seen=self.images,
            total_images=self.total_images,
            **options,
        )

    def real_images(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """Return a turn's real images, as pyramids where the generator makes pyramids."""
        images = stream.batch(phase, turn.draws.position, turn.draws)
        return images if self.multi_stage is None else self.multi_stage.build_pyramid(images)

    def labelled_images(self, stream: Stream, phase: str, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return labelled images and their classes."""
        return stream.labelled_batch(f"{phase}/labelled", draws.position, draws)

    def noise(self, stream: Stream, phase: str, turn: Turn) -> Tensor:
        """Return the latents [N, L] of a turn's generated images."""
        return self.model.latent.draw(turn.draws)

    def augment(self, images: Tensor, purpose: str, *, draws: Draws) -> Tensor:
        """Apply every augmentation in its order, each with draws of its own; the levels of a pyramid change alike."""
        seen = self.images / self.total_images
        parts = images.split(self.spec.channels, 1) if self.multi_stage else [images]
        for name, augmentation in self.augmentations.items():
            parts = [augmentation(part, draws.of(f"{name}/{purpose}"), seen) for part in parts]
        return torch.cat(parts, 1) if len(parts) > 1 else parts[0]
