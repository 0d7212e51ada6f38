"""A generator, a discriminator, and the latent between them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from genlab.models.latent import Normal, Uniform
from genlab.spec import Spec


class GAN(nn.Module):
    """Two players. Both networks are built for the data's spec.

    Generator: `(z [N, latent.size], condition=None) -> images [N, C, H, W]` in [-1, 1].
    Discriminator: `(images, condition=None) -> logits [N]`, unbounded.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Normal | Uniform,
        generator: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network
        discriminator: Callable[[Spec], nn.Module],
    ) -> None:
        super().__init__()
        self.latent = latent
        self.generator = generator(spec, latent.size)
        self.discriminator = discriminator(spec)

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.generator(z, condition)
