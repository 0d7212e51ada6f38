"""The strategy of most GANs: the discriminator's turns, then the generator's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from genlab.errors import ConfigError
from genlab.losses import Turn
from genlab.random import Draws
from genlab.trainers.schedules import at
from genlab.trainers.trainer import Run, System, Trainer
from genlab.trainers.turns import Losses, Phase, has_batch_norm
from genlab.types import Count, Positive, ProperShare, Whole


class Alternating(Trainer):
    """`n_critic` turns of the discriminator, then `n_generator` of the generator: Goodfellow et al. 2014, algorithm 1.

    Either number may be a staircase in images: `{0: 5, 200000: 1}`.
    """

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
        **shared: Any,  # what every trainer takes
    ) -> None:
        super().__init__(system, run, **shared)
        if reuse_fakes and (n_critic, n_generator) != (1, 1):
            raise ConfigError("trainer.reuse_fakes: needs trainer.n_critic=1 and trainer.n_generator=1.")
        self.n_critic, self.n_generator, self.clip_weights = n_critic, n_generator, clip_weights
        self.flip_labels, self.reuse_fakes = flip_labels, reuse_fakes
        self.joint = not has_batch_norm(self.model.discriminator)
        self.kept: dict[int, Tensor] = {}  # the generator's last images, by micro-batch
        now = {name: penalty for name, penalty in self.penalties.items() if penalty.every == 1}
        self.main = {
            "discriminator": Phase("discriminator", "discriminator", self.judge(now), float32=bool(now)),
            "generator": Phase("generator", "generator", self.deceive),
        }
        self.lazy = [self.lazy_phase(name) for name in self.penalties if name not in now]

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

    def move_discriminator(self) -> None:
        player = self.players["discriminator"]
        self.take_turn(self.main["discriminator"])
        self.limit_weights()
        player.turns += 1
        self.images += self.batch_size
        for phase in self.lazy:
            if player.turns % phase.every == 0:
                self.take_turn(phase)
                self.limit_weights()

    def move_generator(self) -> None:
        self.take_turn(self.main["generator"])
        self.players["generator"].turns += 1

    @torch.no_grad()
    def limit_weights(self) -> None:
        if self.clip_weights is not None:
            weights = list(self.model.discriminator.parameters())
            torch._foreach_clamp_min_(weights, -self.clip_weights)
            torch._foreach_clamp_max_(weights, self.clip_weights)

    def judge(self, penalties: dict) -> Any:
        """The discriminator's loss, with the penalties of every turn."""
        slopes = frozenset().union(*(penalty.slopes for penalty in penalties.values()))

        def loss(draws: Draws) -> Losses:
            turn = self.turn("discriminator", draws, slopes)
            real, fake = self.flip(turn.real_logits, turn.fake_logits, draws)
            terms = {"adversarial": per_sample(self.loss.discriminator(real, fake))}
            terms |= {name: penalty(turn) for name, penalty in penalties.items()}
            watched = {"real_logits": turn.real_logits, "fake_logits": turn.fake_logits}
            return Losses(terms, watched | self.loss.watch(turn.real_logits, turn.fake_logits))

        return loss

    def deceive(self, draws: Draws) -> Losses:
        """The generator's loss."""
        fake = self.model.generator(self.model.latent.draw(draws))
        if self.reuse_fakes:
            self.kept[draws.start] = fake.detach()
        real = self.turn("generator", draws).real_logits if self.loss.uses_real else None
        return Losses({"adversarial": per_sample(self.loss.generator(self.model.discriminator(fake), real))})

    def lazy_phase(self, name: str) -> Phase:
        penalty = self.penalties[name]

        def loss(draws: Draws) -> Losses:
            return Losses({name: penalty(self.turn(name, draws, penalty.slopes))})

        return Phase(name, penalty.on, loss, every=penalty.every, float32=True)

    def turn(self, phase: str, draws: Draws, slopes: frozenset[str] = frozenset()) -> Turn:
        position = draws.key[-1] * self.batch_size
        return Turn(
            network=self.model.discriminator,
            images=lambda: self.stream.batch(phase, position, draws),
            generate=lambda: self.fakes(draws),
            draws=draws,
            slopes=slopes,
            joint=self.joint and not slopes,
        )

    @torch.no_grad()
    def fakes(self, draws: Draws) -> Tensor:
        """Generated images for the discriminator, without a graph."""
        kept = self.kept.pop(draws.start, None)
        return self.model.generator(self.model.latent.draw(draws)) if kept is None else kept

    def flip(self, real: Tensor, fake: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Some pairs swapped, which flips both their labels: Salimans et al. 2016's advice against a sure critic."""
        if not self.flip_labels:
            return real, fake
        swap = draws.uniform("flip_labels", *[1] * (real.ndim - 1)) < self.flip_labels
        return torch.where(swap, fake, real), torch.where(swap, real, fake)


def per_sample(values: Tensor) -> Tensor:
    """[N]; a map of patches counts as their mean."""
    return values.flatten(1).mean(1) if values.ndim > 1 else values
