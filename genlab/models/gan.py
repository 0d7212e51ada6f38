"""A generator, a discriminator, and the latent between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from torch import Tensor, nn

from genlab.errors import ConfigError
from genlab.models.layers.spectral import normalise_spectrum
from genlab.models.layers.virtual_norm import with_reference, without_reference
from genlab.random import Draws
from genlab.spec import Spec

PlayerName = Literal["generator", "discriminator"]


class Latent(Protocol):
    """The law of z."""

    size: int

    def draw(self, draws: Draws) -> Tensor:
        """[N, size]."""


class GAN(nn.Module):
    """Two players. Both networks are built for the data's spec, which has no labels unless `conditional`.

    Generator: `(z [N, latent.size], condition=None) -> images [N, C, H, W]` in [-1, 1].
    Discriminator: `(images, condition=None) -> logits [N]`, unbounded.

    Raises ConfigError if it is conditional and the data have no labels.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Latent,
        generator: Callable[[Spec, int], nn.Module],  # (spec, latent size) -> network
        discriminator: Callable[[Spec], nn.Module],
        conditional: bool = False,  # both networks are told the class, or the attributes
        spectral_norm: Sequence[PlayerName] = (),  # networks whose every layer has norm 1: Miyato et al. 2018
    ) -> None:
        super().__init__()
        if conditional and spec.condition_size is None:
            raise ConfigError(
                "model.conditional=true: the data have no labels. Choose labelled data, or set it to false."
            )
        spec = spec if conditional else spec.unconditional
        self.latent, self.conditional = latent, conditional
        self.generator = with_reference(generator(spec, latent.size), latent, spec)
        self.discriminator = without_reference(discriminator(spec))
        for player in spectral_norm:
            normalise_spectrum(self.players[player])

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.generator(z, condition)
