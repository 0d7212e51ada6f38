"""What an encoder says of a latent."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

from torch import Tensor


@dataclass(frozen=True)
class DiagonalNormal:
    """Independent normals, [N, L]."""

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, parameters: Tensor) -> DiagonalNormal:
        """From an encoder's [N, 2L]: means, then logarithms of variances."""
        return cls(*parameters.chunk(2, dim=1))

    def sample(self, noise: Tensor) -> Tensor:
        """The latent that standard normal noise stands for, differentiable: Kingma and Welling 2014, section 2.4."""
        return self.mean + (self.log_variance / 2).exp() * noise

    def log_density(self, z: Tensor) -> Tensor:
        """Of latents [..., N, L], in nats [..., N]."""
        excess = (z - self.mean).square() * (-self.log_variance).exp()
        return -(excess + self.log_variance + log(2 * pi)).sum(-1) / 2
