"""Two GANs that translate between two kinds of pictures, either way: Zhu et al. 2017, section 3 (CycleGAN)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.spec import Spec
from genlab.models.adversarial.gan import GAN, PlayerName


class BothWays(nn.Module):
    """A network for either direction; called, it is the one that makes the data's images, or judges them."""

    def __init__(self, there: nn.Module, back: nn.Module) -> None:
        super().__init__()
        self.there, self.back = there, back

    @property
    def multiple(self) -> int | None:
        """Of the sides of pictures that a generator takes; None: it takes one size alone."""
        return getattr(self.there, "multiple", None)

    def forward(self, *given: Any) -> Any:
        return self.there(*given)


class CycleGAN(nn.Module):
    """Either player has two networks. There, images are made from source pictures, and back, sources from images.

    Generator: `(z [N, latent.size], pictures [N, C, H, W]) -> pictures of the other kind`, in [-1, 1].
    Discriminator: `(pictures) -> logits [N]` or of patches [N, h, w], which sees no source.

    Raises ConfigError for data of one kind of pictures alone, and for label maps.
    """

    both_ways: ClassVar[bool] = True
    conditional: ClassVar[bool] = True  # generators are told what to make an image of
    told: ClassVar[frozenset[str]] = frozenset({"generator"})

    def __init__(
        self,
        spec: Spec,
        *,
        generator: Callable[[Spec, int | None], nn.Module],  # (spec, latent size) -> network; its noise is its own
        discriminator: Callable[[Spec], nn.Module],
        spectral_norm: Sequence[PlayerName] = (),  # networks whose every layer has norm 1: Miyato et al. 2018
    ) -> None:
        super().__init__()
        refuse_one_kind(spec)
        options = {"conditional": tuple(self.told), "spectral_norm": spectral_norm}
        networks = {"generator": generator, "discriminator": discriminator}
        there, back = (GAN(way, **networks, **options) for way in (spec, spec.reversed))
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
