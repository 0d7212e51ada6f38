"""Consistency regularisation: networks should not mind small changes of what they are given."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.schedule import value_at
from genlab.core.system import SystemFacts
from genlab.core.types import NonNegative, PlayerName, Whole
from genlab.losses.penalties import Penalty, Weight, mean_of_values
from genlab.losses.turn import Turn


@dataclass
class Consistency(Penalty):
    """Zhang et al. 2020 (CR-GAN), algorithm 1: (D(x) - D(T(x)))^2 at real images; T shifts, and mirrors if it may."""

    weight: Weight = 10.0  # theirs
    on: Literal["discriminator"] = "discriminator"
    shift: Whole = 4  # pixels, at most, either way: theirs; what leaves is filled in by reflection
    flip: bool = False  # mirror half of the images: where a mirrored image is as likely, as with data.flip

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_images()
        system.require_free_images()

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * self.change(turn, "real", turn.real, turn.real_logits, turn.condition)

    def change(self, turn: Turn, which: str, images: Tensor, logits: Tensor, condition: Tensor | None) -> Tensor:
        moved = turn.augment(self.move(turn, images, which), f"consistency_{which}")
        return turn.per_image((logits - turn.network(moved, condition)).square())

    def move(self, turn: Turn, images: Tensor, which: str) -> Tensor:
        """T(images), drawn for every image."""
        draws, (height, width) = turn.draws.uniform(f"shift_{which}", 2), images.shape[2:]
        steps = (draws * (2 * self.shift + 1)).floor().long() - self.shift
        rows, columns = reflected(steps[:, 0], height), reflected(steps[:, 1], width)
        if self.flip:
            mirrored = turn.draws.uniform(f"flip_{which}", 1) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        return images.gather(2, rows[:, None, :, None].expand_as(images)).gather(
            3, columns[:, None, None, :].expand_as(images)
        )


def reflected(steps: Tensor, size: int) -> Tensor:
    """Where each of `size` places comes from [N, size] after `steps` [N]; the edge itself is not repeated."""
    places = (torch.arange(size, device=steps.device) + steps[:, None]).remainder(max(1, 2 * (size - 1)))
    return size - 1 - (size - 1 - places).abs()


@dataclass
class BalancedConsistency(Consistency):
    """Zhao et al. 2021, algorithm 1 (bCR): at generated images too, lest the generator learn T's traces."""

    fake_weight: Weight = 10.0  # theirs; `weight` is that of the real images

    def __call__(self, turn: Turn) -> Tensor:
        real = super().__call__(turn)
        fake = self.change(turn, "fake", turn.fake, turn.fake_logits, turn.fake_condition)
        return real + value_at(self.fake_weight, turn.seen, turn.total) * fake


@dataclass
class LatentConsistency(Penalty):
    """Zhao et al. 2021, algorithm 2 (zCR): latents z and z + noise make images that D judges alike, and G makes unlike.

    weight * (D(G(z)) - D(G(z + noise)))^2 in the discriminator's turn, -generator_weight * (G(z) - G(z + noise))^2,
    averaged over an image's values, in the generator's.
    """

    weight: Weight = 20.0  # this, the next and the noise: StudioGAN's for BigGAN on CIFAR-10
    generator_weight: Weight = 0.5
    on: PlayerName | list[PlayerName] = field(default_factory=lambda: ["discriminator", "generator"])
    noise: NonNegative = 0.05  # standard deviation

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if not system.latent_size:
            raise ConfigError("moves latents, and this generator has none. Leave it out, or choose penalty=[cr].")

    def __call__(self, turn: Turn) -> Tensor:
        return self.judged_alike(turn) if turn.player == "discriminator" else self.made_unlike(turn)

    def judged_alike(self, turn: Turn) -> Tensor:
        # Images of other turns are not those of this turn's latents.
        own = turn.kept is None and turn.recall is None
        fake = turn.fake_logits if own else self.judge(turn, turn.latents, "latent_consistency_fake")
        near = self.judge(turn, self.near(turn), "latent_consistency")
        return self.strength(turn) * turn.per_image((fake - near).square())

    def judge(self, turn: Turn, latents: Tensor, purpose: str) -> Tensor:
        with torch.no_grad():
            images = turn.generator(latents, turn.fake_condition)
        return turn.network(turn.augment(images, purpose), turn.fake_condition)

    def made_unlike(self, turn: Turn) -> Tensor:
        change = turn.fake - turn.generator(self.near(turn), turn.fake_condition)
        return -value_at(self.generator_weight, turn.seen, turn.total) * mean_of_values(change.square())

    def near(self, turn: Turn) -> Tensor:
        """Latents near those of this turn."""
        return turn.latents + self.noise * turn.draws.normal("latent_consistency", *turn.latents.shape[1:])
