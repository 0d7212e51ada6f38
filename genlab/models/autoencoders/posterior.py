"""The distribution over latents that an encoder predicts."""

from dataclasses import dataclass
from math import log, pi

from torch import Tensor


@dataclass(frozen=True)
class DiagonalNormal:
    """Independent normal distributions of latents [N, L]."""

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, parameters: Tensor) -> "DiagonalNormal":
        """Make the distribution from an encoder's outputs [N, 2L]: means, then log variances."""
        return cls(*parameters.chunk(2, dim=1))

    def sample(self, noise: Tensor) -> Tensor:
        """Return latents from standard normal noise (reparametrisation): Kingma and Welling 2014, section 2.4."""
        return self.mean + (self.log_variance / 2).exp() * noise

    def log_density(self, z: Tensor) -> Tensor:
        """Return the log density [..., N] of latents [..., N, L], in nats."""
        excess = (z - self.mean).square() * (-self.log_variance).exp()
        return -(excess + self.log_variance + log(2 * pi)).sum(-1) / 2
