"""What every augmentation is."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from genlab.random import Draws


class Augmentation:
    """Changes images on their way to the discriminator, real and generated ones alike: a function (images) -> images.

    The generator learns through it, and slopes are taken by the images before it, so it must be twice
    differentiable. Several compose in the order in which they are listed.
    """

    needs_images: ClassVar[bool] = False  # points [N, D] mean nothing to it
    moves_images: ClassVar[bool] = False  # out of the place that a source picture beside them says

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        """[N, C, H, W] or points [N, D], as they came; `progress` is the share of the run that is over, in [0, 1]."""
        raise NotImplementedError
