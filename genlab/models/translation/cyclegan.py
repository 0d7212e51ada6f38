"""CycleGAN, two GANs that translate between two domains of pictures in both directions: Zhu et al. 2017, section 3."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.core.types import PlayerName
from genlab.models.adversarial.gan import GAN
from genlab.models.contract import Model, side_multiple_of


class BothWays(nn.Module):
    """A network for each direction; called, it runs `there`, which makes or judges the data's images."""

    def __init__(self, there: nn.Module, back: nn.Module) -> None:
        super().__init__()
        self.there, self.back = there, back

    @property
    def side_multiple(self) -> int | None:
        """Return the number that sides of pictures must be multiples of, as both networks are alike."""
        return side_multiple_of(self.there)

    def forward(self, *given: Any) -> Any:
        return self.there(*given)


class CycleGAN(Model):
    """Two players of two networks each: `there` makes or judges images made from sources, `back` sources from images.

    Generator: `(z [N, latent.size], pictures [N, C, H, W]) -> pictures of the other domain`, in [-1, 1].
    Discriminator: `(pictures) -> logits [N]` or of patches [N, h, w], without the source.

    Raises ConfigError for data of one domain only, and for label maps.
    """

    translates_both_ways: ClassVar[bool] = True
    conditional = True  # on source pictures
    conditioned_networks = frozenset({"generator"})

    def __init__(
        self,
        spec: Spec,
        *,
        generator: Callable[[Spec, int | None], nn.Module],  # (spec, latent size) -> network, which sets its noise
        discriminator: Callable[[Spec], nn.Module],
        spectral_norm: Sequence[PlayerName] = (),  # networks to normalise spectrally: Miyato et al. 2018
    ) -> None:
        super().__init__()
        refuse_one_kind(spec)
        options = {"conditional": tuple(self.conditioned_networks), "spectral_norm": spectral_norm}
        networks = {"generator": generator, "discriminator": discriminator}
        there, back = (GAN(way, **networks, **options) for way in (spec, spec.source_spec))
        self.latent = there.latent
        self.generator = BothWays(there.generator, back.generator)
        self.discriminator = BothWays(there.discriminator, back.discriminator)

    @property
    def players(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}


def refuse_one_kind(spec: Spec) -> None:
    refusal = (
        "this model translates between two kinds of pictures, and the data have {}. Choose data=unpaired, or "
        "data=mnist_unpaired."
    )
    if spec.require(Picture, refusal.format("one kind of pictures")).classes:
        raise ConfigError(refusal.format("label maps and images"))
