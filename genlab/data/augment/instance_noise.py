"""Instance noise: fading noise on real and generated images, so that their distributions overlap."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import Positive, Share
from genlab.data.augment.augmentation import Augmentation

FINAL_RATIO = 1e-3  # last standard deviation of a geometric fall over the first; then the noise ends


@dataclass
class InstanceNoise(Augmentation):
    """Add Gaussian noise that fades (Sonderby et al. 2017; Arjovsky and Bottou 2017, section 3), to points too.

    Real and generated images lie on thin manifolds that hardly overlap, so that a perfect discriminator has no useful
    gradient. Noise makes the two distributions overlap.
    """

    std: Positive = 0.1  # standard deviation at the start; images are in [-1, 1]
    until: Share = 0.5  # share of the run after which there is no noise
    fall: Literal["linear", "geometric"] = "linear"

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        std = self.std_at(progress)
        return images.add(draws.normal("instance_noise", *images.shape[1:]), alpha=std) if std else images

    def std_at(self, progress: float) -> float:
        """Return the standard deviation when the share `progress` of the run is done."""
        if progress >= self.until:
            return 0.0
        done = progress / self.until
        return self.std * {"linear": 1 - done, "geometric": FINAL_RATIO**done}[self.fall]
