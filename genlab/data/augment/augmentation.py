"""The interface of augmentations."""

from typing import ClassVar

from torch import Tensor

from genlab.core.random import Draws
from genlab.core.system_facts import SystemFacts


class Augmentation:
    """Change images before the discriminator sees them, real and generated ones alike: (images) -> images.

    It must be twice differentiable: the generator learns through it, and penalties differentiate with respect to the
    images before it. Several augmentations are applied in the order in which they are listed.
    """

    needs_images: ClassVar[bool] = False  # it refuses points [N, D]
    moves_images: ClassVar[bool] = False  # it moves pixels, so that images no longer match their source pictures

    def refuse(self, system: SystemFacts) -> None:
        """Raise ConfigError for a system that it cannot serve."""
        system.require_player("discriminator")
        if self.needs_images or system.discriminates_codes:
            system.require_images()
        if self.moves_images:
            system.require_free_images()

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        """Return changed images [N, C, H, W] or points [N, D]; `progress` is the share of the run done, in [0, 1]."""
        raise NotImplementedError

    def as_shown(self) -> "Augmentation":
        """Return what shows a person how it changes images: itself, unless it begins with no change at all."""
        return self

    def observe(self, certainty: Tensor, weights: Tensor | None = None) -> None:
        """Record how sure the discriminator is that real images are real, in every micro-batch of its turn.

        Certainty is above 0 where the image is judged real, below 0 where generated; [N], or a map of patches. The
        weights of patches [M], 1 on average, are given where they count differently.
        """

    def end_turn(self, images: int) -> dict[str, Tensor]:
        """Adapt after the discriminator's turn of `images` images over all ranks; return numbers to log."""
        return {}


def draw_masks(draws: Draws, purpose: str, count: int, chance: Tensor) -> tuple[Tensor, ...]:
    """Return a mask [N] of the images to change, for each of `count` changes; `chance` is a scalar on the device."""
    return (draws.uniform(f"{purpose}/happens", count) < chance).unbind(1)
