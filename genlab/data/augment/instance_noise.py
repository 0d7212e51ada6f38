"""Noise that blurs real and generated images until they overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import Positive, Share
from genlab.data.augment.augmentation import Augmentation

LAST = 1e-3  # of the first deviation: where a geometric fall ends, and the noise with it


@dataclass
class InstanceNoise(Augmentation):
    """Gaussian noise that fades (Sonderby et al. 2017; Arjovsky and Bottou 2017, section 3). Works on points too.

    Images lie on thin sets that hardly overlap: a discriminator can tell them apart perfectly and teaches nothing.
    Noise makes the sets thick.
    """

    std: Positive = 0.1  # standard deviation at the start; images are in [-1, 1]
    until: Share = 0.5  # of the run, after which there is none
    fall: Literal["linear", "geometric"] = "linear"

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        level = self.level(progress)
        return images.add(draws.normal("instance_noise", *images.shape[1:]), alpha=level) if level else images

    def level(self, progress: float) -> float:
        """The standard deviation when this share of the run is over."""
        if progress >= self.until:
            return 0.0
        done = progress / self.until
        return self.std * {"linear": 1 - done, "geometric": LAST**done}[self.fall]
