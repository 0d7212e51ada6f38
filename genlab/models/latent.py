"""The law that latents are drawn from."""

from dataclasses import dataclass

from torch import Tensor

from genlab.random import Draws
from genlab.types import Count


@dataclass(frozen=True)
class Normal:
    """Standard normal."""

    size: Count = 100

    def draw(self, draws: Draws) -> Tensor:
        """[N, size]."""
        return draws.normal("latent", self.size)


@dataclass(frozen=True)
class Uniform:
    """Uniform in [-1, 1]: Radford et al. 2016, section 4."""

    size: Count = 100

    def draw(self, draws: Draws) -> Tensor:
        """[N, size]."""
        return draws.uniform("latent", self.size) * 2 - 1
