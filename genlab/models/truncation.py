"""Sampling for looks: latents near the mean. Brock et al. 2019, section 3.1."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import Count, Positive


@dataclass(frozen=True)
class Truncated:
    """Standard normal within +-threshold: the lower the threshold, the likelier and the more alike are the images."""

    size: Count = 100
    threshold: Positive = 1.0  # 0.04 to 2 in the paper

    def draw(self, draws: Draws) -> Tensor:
        """[N, size]. The inverse of the distribution function, where the authors draw again what lies outside."""
        below = 0.5 * math.erfc(self.threshold / math.sqrt(2))  # the share below -threshold
        share = below + (1 - 2 * below) * draws.uniform("latent", self.size)
        return torch.special.ndtri(share).clamp(-self.threshold, self.threshold)
