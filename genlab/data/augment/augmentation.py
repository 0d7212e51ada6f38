"""What every augmentation is."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from genlab.core.random import Draws
from genlab.core.system import SystemFacts


class Augmentation:
    """Changes images on their way to the discriminator, real and generated ones alike: a function (images) -> images.

    The generator learns through it, and slopes are taken by the images before it, so it must be twice
    differentiable. Several compose in the order in which they are listed.
    """

    needs_images: ClassVar[bool] = False  # points [N, D] mean nothing to it
    moves_images: ClassVar[bool] = False  # out of the place that a source picture beside them says

    def refuse(self, system: SystemFacts) -> None:
        """Raise ConfigError for a system that it cannot serve."""
        system.require_player("discriminator")
        if self.needs_images or system.judges_codes:
            system.require_images()
        if self.moves_images:
            system.require_free_images()

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        """[N, C, H, W] or points [N, D], as they came; `progress` is the share of the run that is over, in [0, 1]."""
        raise NotImplementedError

    def observe(self, certainty: Tensor) -> None:
        """Told in every micro-batch of the discriminator's turn how sure it is that real images are real.

        Above 0 where it takes an image for real, below 0 where for generated; [N], or a map of patches.
        """

    def end_turn(self, images: int) -> dict[str, Tensor]:
        """After the discriminator's turn, of so many images over all ranks; gives numbers worth a curve."""
        return {}
