"""Consistency regularisation: small changes of the input should change the output little."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.schedule import value_at
from genlab.core.system_facts import SystemFacts
from genlab.core.types import NonNegative, Players, Whole
from genlab.losses.penalties import Penalty, Weight, mean_of_values
from genlab.losses.turn import Turn


@dataclass
class Consistency(Penalty):
    """Zhang et al. 2020 (CR-GAN), algorithm 1: (D(x) - D(T(x)))^2 at real images x; T shifts, or also mirrors."""

    weight: Weight = 10.0  # the paper's
    on: Literal["discriminator"] = "discriminator"
    shift: Whole = 4  # pixels at most, either way: the paper's; the edge is filled by reflection
    flip: bool = False  # mirror half of the images; only where a mirrored image is as likely, as with data.flip

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_images()
        system.require_free_images()

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * self.logit_change(turn, "real", turn.real, turn.real_logits, turn.condition)

    def logit_change(self, turn: Turn, which: str, images: Tensor, logits: Tensor, condition: Tensor | None) -> Tensor:
        moved = turn.augment(self.transform(turn, images, which), f"consistency_{which}")
        return turn.per_image((logits - turn.network(moved, condition)).square())

    def transform(self, turn: Turn, images: Tensor, which: str) -> Tensor:
        """Return T(images), with a T drawn for every image."""
        draws, (height, width) = turn.draws.uniform(f"shift_{which}", 2), images.shape[2:]
        steps = (draws * (2 * self.shift + 1)).floor().long() - self.shift
        rows, columns = shifted_indices(steps[:, 0], height), shifted_indices(steps[:, 1], width)
        if self.flip:
            mirrored = turn.draws.uniform(f"flip_{which}", 1) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        return images.gather(2, rows[:, None, :, None].expand_as(images)).gather(
            3, columns[:, None, None, :].expand_as(images)
        )


def shifted_indices(steps: Tensor, size: int) -> Tensor:
    """Return the source index [N, size] of each place after shifts of `steps` [N]; the edge is not repeated."""
    places = (torch.arange(size, device=steps.device) + steps[:, None]).remainder(max(1, 2 * (size - 1)))
    return size - 1 - (size - 1 - places).abs()


@dataclass
class BalancedConsistency(Consistency):
    """Zhao et al. 2021, algorithm 1 (bCR): generated images too, lest the generator learn T's traces."""

    fake_weight: Weight = 10.0  # on generated images: the paper's; `weight` is on real ones

    def __call__(self, turn: Turn) -> Tensor:
        real = super().__call__(turn)
        fake = self.logit_change(turn, "fake", turn.fake, turn.fake_logits, turn.fake_condition)
        return real + value_at(self.fake_weight, turn.images_seen, turn.total_images) * fake


@dataclass
class LatentConsistency(Penalty):
    """Zhao et al. 2021, algorithm 2 (zCR): images of z and of z + noise get like logits, and are unlike.

    The discriminator minimises weight * (D(G(z)) - D(G(z + noise)))^2, the generator -generator_weight *
    (G(z) - G(z + noise))^2, the mean over an image's values.
    """

    weight: Weight = 20.0  # defaults are StudioGAN's for BigGAN on CIFAR-10
    generator_weight: Weight = 0.5
    on: Players = field(default_factory=lambda: ["discriminator", "generator"])
    noise: NonNegative = 0.05  # standard deviation

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if not system.latent_size:
            raise ConfigError("moves latents, and this generator has none. Leave it out, or choose penalty=[cr].")

    def __call__(self, turn: Turn) -> Tensor:
        return self.discriminator_cost(turn) if turn.player == "discriminator" else self.generator_cost(turn)

    def discriminator_cost(self, turn: Turn) -> Tensor:
        # Images from other turns were not made of this turn's latents.
        own = turn.ready_images is None and turn.mix_in_replay is None
        fake = turn.fake_logits if own else self.logits_of_generated(turn, turn.latents, "latent_consistency_fake")
        near = self.logits_of_generated(turn, self.nearby_latents(turn), "latent_consistency")
        return self.strength(turn) * turn.per_image((fake - near).square())

    def logits_of_generated(self, turn: Turn, latents: Tensor, purpose: str) -> Tensor:
        with torch.no_grad():
            images = turn.generator(latents, turn.fake_condition)
        return turn.network(turn.augment(images, purpose), turn.fake_condition)

    def generator_cost(self, turn: Turn) -> Tensor:
        change = turn.fake - turn.generator(self.nearby_latents(turn), turn.fake_condition)
        return -value_at(self.generator_weight, turn.images_seen, turn.total_images) * mean_of_values(change.square())

    def nearby_latents(self, turn: Turn) -> Tensor:
        return turn.latents + self.noise * turn.draws.normal("latent_consistency", *turn.latents.shape[1:])
