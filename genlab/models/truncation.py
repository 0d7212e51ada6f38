"""The truncation trick: latents near the mean. Brock et al. 2019, section 3.1."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import Count, Positive


@dataclass(frozen=True)
class Truncated:
    """Standard normal latents within +-threshold: a lower one gives better and less varied images."""

    size: Count = 100
    threshold: Positive = 1.0  # 0.04 to 2 in the paper

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, size] by the inverse distribution function, where the authors redraw values outside."""
        below = 0.5 * math.erfc(self.threshold / math.sqrt(2))  # probability below -threshold
        share = below + (1 - 2 * below) * draws.uniform("latent", self.size)
        return torch.special.ndtri(share).clamp(-self.threshold, self.threshold)
