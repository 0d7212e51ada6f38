"""Penalties that compare a translated picture with its target."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.system_facts import SystemFacts
from genlab.core.types import NonNegative
from genlab.losses.penalties import Penalty, Weight, mean_of_values
from genlab.losses.turn import Turn
from genlab.models.contract import FeaturesByLayer

FeatureMaps = Tensor | Sequence[Tensor]  # one map or several, [N, ...]


@dataclass
class Paired(Penalty):
    """Base of penalties that compare a generated image with the target of its source."""

    on: Literal["generator"] = "generator"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_images()
        if system.translates != "one way":
            raise ConfigError(
                "compares what is made of a picture with its partner, and this model is told no picture that has one. "
                "Choose model=pix2pix, or leave the penalty out."
            )


@dataclass
class L1(Paired):
    """Isola et al. 2017, equation 3: |real - fake|, the mean over an image's values."""

    weight: Weight = 100.0  # the paper's, section 6.2

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * mean_of_values((turn.real - turn.fake).abs())


@dataclass
class MSE(Paired):
    """Ledig et al. 2017, equation 4: (real - fake)^2, the mean over an image's values."""

    weight: Weight = 1.0

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * mean_of_values((turn.real - turn.fake).square())


@dataclass
class PairedFeatureMatching(Paired):
    """Wang et al. 2018, equation 4: |f(real) - f(fake)| of every layer f of the discriminator.

    The term is the mean over a layer's values, summed over layers, and the mean over scales, like the loss (both are
    sums in the paper).
    """

    weight: Weight = 10.0  # the paper's, section 4

    needs_features: ClassVar[bool] = True

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_network("discriminator", FeaturesByLayer, "Choose model=pix2pix_hd, or leave the penalty out.")
        if system.moving_augmentations:
            raise ConfigError(
                "compares what the discriminator sees of an image and of its partner place by place, and "
                f"augment={system.moving_augmentations[0]} moves each in its own way. Leave one of them out "
                "(augment=[]); data.flip and data.crop move both."
            )

    def __call__(self, turn: Turn) -> Tensor:
        discriminator: FeaturesByLayer = turn.network
        real, fake = (discriminator.by_layer(f) for f in (turn.real_features.detach(), turn.fake_features))
        scales = (zip(*layers, strict=True) for layers in zip(real, fake, strict=True))
        distances = (mean_of_values((a - b).abs()) for pairs in scales for a, b in pairs)
        return self.strength(turn) / len(real) * reduce(add, distances)


@dataclass
class Perceptual(Paired):
    """The distance between a network's features of real and of generated images: Ledig et al. 2017, equation 5.

    Differences are squared or absolute, averaged over each map and summed over maps. The network is not trained, and no
    part of a checkpoint.
    """

    weight: Weight = 0.006  # the paper's: their features are divided by 12.75 (section 3.2)
    distance: Literal["squared", "absolute"] = "squared"
    shares: Sequence[NonNegative] | None = None  # weight of each map; null: 1
    # Images [N, C, H, W] in [-1, 1] -> a map, or several. Loading weights is the network's own affair.
    features: Callable[[Tensor], FeatureMaps] = field(kw_only=True, repr=False)

    def settle(self, spec: Spec, batch_size: int) -> None:
        """Raise ConfigError if the network cannot read such images, or `shares` are not as many as its maps."""
        if isinstance(self.features, nn.Module):
            self.features.requires_grad_(False).eval()
        try:
            with torch.no_grad():
                count = len(self.maps(torch.zeros(1, *spec.shape)))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            shape = " x ".join(map(str, spec.shape))
            raise ConfigError(
                f"penalty.perceptual.features: cannot read images of {shape} ({error}). Choose larger images, or a "
                "network for such ones: penalty.perceptual.features._target_=mine.Net."
            ) from error
        if self.shares is not None and len(self.shares) != count:
            raise ConfigError(
                f"penalty.perceptual.shares={list(self.shares)}: {len(self.shares)} numbers for {count} maps."
            )

    def maps(self, images: Tensor) -> Sequence[Tensor]:
        maps = self.features(images)
        return [maps] if isinstance(maps, Tensor) else maps

    def __call__(self, turn: Turn) -> Tensor:
        if isinstance(self.features, nn.Module):
            self.features.to(turn.real.device, turn.real.dtype)  # moves it in the first turn only
        with torch.no_grad():
            real = self.maps(turn.real)
        pairs = zip(real, self.maps(turn.fake), self.shares or [1.0] * len(real), strict=True)
        return self.strength(turn) * reduce(add, [share * self.map_distance(a, b) for a, b, share in pairs])

    def map_distance(self, real: Tensor, fake: Tensor) -> Tensor:
        difference = real - fake
        return mean_of_values(difference.square() if self.distance == "squared" else difference.abs())
