"""A GAN: a generator, a discriminator and the law of the generator's latent."""

from collections.abc import Callable, Sequence
from typing import get_args

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import PlayerName
from genlab.models.contract import Model
from genlab.models.latent_contract import VectorLatent
from genlab.models.layers.spectral import normalise_players
from genlab.models.layers.virtual_norm import with_reference, without_reference

PLAYERS: tuple[PlayerName, ...] = get_args(PlayerName)


class GAN(Model):
    """Two players, built for the data's spec; a network that does not receive the condition is built for one without.

    Generator: `(z [N, latent.size], condition=None) -> images [N, C, H, W]` in [-1, 1].
    Discriminator: `(images, condition=None) -> logits [N]` or of patches [N, h, w] or [N, M], unbounded. Where
    patches are weighted within their image, `patch_weights` [M], 1 on average, holds the weights.
    A condition is a class, attributes, words, or the picture that an image is made from.

    Raises ConfigError if it is conditional and the data have no labels.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        latent: VectorLatent | None = None,  # null: the generator's own, for noise whose size depends on the network
        generator: Callable[[Spec, int | None], nn.Module],  # (spec, latent size) -> network
        discriminator: Callable[[Spec], nn.Module],
        conditional: bool | Sequence[PlayerName] = False,  # networks with a condition: both, or those named
        spectral_norm: Sequence[PlayerName] = (),  # networks whose every layer has norm 1: Miyato et al. 2018
    ) -> None:
        super().__init__()
        if conditional and spec.condition is None:
            raise ConfigError(
                "model.conditional=true: the data have no labels. Choose labelled data (for models that are told words "
                "data.words=caption, or data=mnist_words; for those that translate data.task=edges, or data=pairs), "
                "or set it to false."
            )
        self.conditional, self.conditioned_networks = bool(conditional), conditioned_players(conditional)
        specs = {name: spec if name in self.conditioned_networks else spec.unconditional for name in PLAYERS}
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


def conditioned_players(conditional: bool | Sequence[PlayerName]) -> frozenset[str]:
    """Return the players that `conditional` names: true names both."""
    if isinstance(conditional, bool):
        return frozenset(PLAYERS if conditional else ())
    return frozenset(conditional)
