"""Penalties that compare what was made of a picture with the picture's partner."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.system import SystemFacts
from genlab.core.types import NonNegative
from genlab.losses.penalties import Penalty, Weight, mean_of_values
from genlab.losses.turn import Turn
from genlab.models.contract import FeaturesByLayer

Seen = Tensor | Sequence[Tensor]  # one map or several, [N, ...]


@dataclass
class Paired(Penalty):
    """On what the generator makes of a source."""

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

    weight: Weight = 100.0  # theirs, section 6.2

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

    The mean over a layer's values, summed over layers; the mean over scales, as that of the loss is (both are sums in
    the paper).
    """

    weight: Weight = 10.0  # theirs, section 4

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
        real, fake = (turn.network.by_layer(f) for f in (turn.real_features.detach(), turn.fake_features))
        scales = (zip(*layers, strict=True) for layers in zip(real, fake, strict=True))
        distances = (mean_of_values((a - b).abs()) for pairs in scales for a, b in pairs)
        return self.strength(turn) / len(real) * sum(distances)


@dataclass
class Perceptual(Paired):
    """A distance of what a network sees in real and in generated images: Ledig et al. 2017, equation 5.

    The mean over each map's values, squared or absolute; several maps are summed. The network is not trained, and no
    part of a checkpoint.
    """

    weight: Weight = 0.006  # theirs: their features are divided by 12.75 (section 3.2)
    distance: Literal["squared", "absolute"] = "squared"
    shares: Sequence[NonNegative] | None = None  # how much each map counts; null: 1
    # Images [N, C, H, W] in [-1, 1] -> a map, or several; weights are its own affair.
    features: Callable[[Tensor], Seen] | None = field(default=None, repr=False)

    def settle(self, spec: Spec, batch_size: int) -> None:
        """Raises ConfigError for features that cannot be taken of such images, or are not as many as `shares`."""
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
        seen = self.features(images)
        return [seen] if isinstance(seen, Tensor) else seen

    def __call__(self, turn: Turn) -> Tensor:
        if isinstance(self.features, nn.Module):
            self.features.to(turn.real.device, turn.real.dtype)  # at first; then it is there
        with torch.no_grad():
            real = self.maps(turn.real)
        pairs = zip(real, self.maps(turn.fake), self.shares or [1.0] * len(real), strict=True)
        return self.strength(turn) * sum(share * self.between(a, b) for a, b, share in pairs)

    def between(self, real: Tensor, fake: Tensor) -> Tensor:
        away = real - fake
        return mean_of_values(away.square() if self.distance == "squared" else away.abs())
