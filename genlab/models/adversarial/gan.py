"""A generator, a discriminator, and the latent between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, get_args, runtime_checkable

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.models.layers.spectral import normalise_players
from genlab.models.layers.virtual_norm import with_reference, without_reference

PlayerName = Literal["generator", "discriminator"]
PLAYERS: tuple[PlayerName, ...] = get_args(PlayerName)


@runtime_checkable
class Latent(Protocol):
    """The law of z."""

    size: int

    def draw(self, draws: Draws) -> Tensor:
        """[N, size]."""


class GAN(nn.Module):
    """Two players. Both networks are built for the data's spec, which has no labels for those that are told nothing.

    Generator: `(z [N, latent.size], condition=None) -> images [N, C, H, W]` in [-1, 1].
    Discriminator: `(images, condition=None) -> logits [N]` or of patches [N, h, w] or [N, M], unbounded. Where
    patches count differently within their image, `patch_weights` [M], 1 on average, say how much.
    A condition is a class, attributes, words, or the picture that an image is to be made from.

    Raises ConfigError if it is conditional and the data have no labels.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        latent: Latent | None = None,  # null: the generator's own, for noise whose size depends on the network
        generator: Callable[[Spec, int | None], nn.Module],  # (spec, latent size) -> network
        discriminator: Callable[[Spec], nn.Module],
        conditional: bool | Sequence[PlayerName] = False,  # both networks are told the condition, or those named
        spectral_norm: Sequence[PlayerName] = (),  # networks whose every layer has norm 1: Miyato et al. 2018
    ) -> None:
        super().__init__()
        if conditional and not spec.conditioned:
            raise ConfigError(
                "model.conditional=true: the data have no labels. Choose labelled data (for models that are told words "
                "data.words=caption, or data=mnist_words; for those that translate data.task=edges, or data=pairs), "
                "or set it to false."
            )
        self.conditional, self.told = bool(conditional), told(conditional)
        specs = {name: spec if name in self.told else spec.unconditional for name in PLAYERS}
        network = generator(specs["generator"], None if latent is None else latent.size)
        self.latent = network.latent if latent is None else latent
        self.generator = with_reference(network, self.latent, specs["generator"])
        self.discriminator = without_reference(discriminator(specs["discriminator"]))
        normalise_players(self.players, spectral_norm)

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.generator(z, condition)


def told(conditional: bool | Sequence[PlayerName]) -> frozenset[str]:
    """The players that are told the condition."""
    if isinstance(conditional, bool):
        return frozenset(PLAYERS if conditional else ())
    return frozenset(conditional)
