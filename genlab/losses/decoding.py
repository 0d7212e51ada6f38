"""Self-supervision of a discriminator by decoders that draw real images from its features."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import mix
from genlab.core.spec import Spec
from genlab.core.system_facts import SystemFacts
from genlab.losses.penalties import Penalty, Weight, mean_of_values
from genlab.losses.turn import Turn
from genlab.models.contract import DecodesFeatures

Distance = Callable[[Tensor, Tensor], Tensor]  # images [N, C, H, W] in [-1, 1], twice -> [N]

LARGEST_TRIED = 32  # pixels a side of images that a network is tried with


@dataclass
class FeatureDecoding(Penalty):
    """Liu et al. 2021 (FastGAN), equation 4: decoders draw the real image, and a quarter of it, from D's maps.

    The term is the sum of the distances between what is drawn and what was to be drawn. Without weights of a perceptual
    distance, pixels are compared. One quarter is chosen for the whole batch, as in the published code.
    """

    weight: Weight = 8.0  # the published code sums distances over its batch of 8, where the loss is a mean
    on: Literal["discriminator"] = "discriminator"
    distance: Literal["absolute", "squared"] | Distance = "absolute"  # of pixels, mean over an image; or a network's

    needs_features: ClassVar[bool] = True

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_network("discriminator", DecodesFeatures, "Choose model=fastgan, or leave the penalty out.")

    def settle(self, spec: Spec, batch_size: int) -> None:
        """Raise ConfigError if a network cannot compare images of half the side, as the decoders draw them."""
        if not callable(self.distance):
            return
        part = torch.zeros(1, spec.channels, *(min(side // 2, LARGEST_TRIED) for side in spec.shape[1:]))
        try:
            self.distance(part, part)
        except RuntimeError as error:
            raise ConfigError(
                f"penalty.feature_decoding.distance: cannot compare drawn images of {part.shape[3]} x {part.shape[2]} "
                f"pixels, half of the data's side ({error}). Set a data.size of 32 or more, or "
                "penalty=[feature_decoding]."
            ) from error

    def __call__(self, turn: Turn) -> Tensor:
        discriminator: DecodesFeatures = turn.network
        quarter = mix(*turn.draws.key, "quarter") % 4  # no draw on the device: indexing by it would synchronise
        pairs = discriminator.decode(turn.real_features, turn.real_input, quarter)
        return self.strength(turn) * sum(self.measure(drawn, images) for drawn, images in pairs)

    def measure(self, drawn: Tensor, images: Tensor) -> Tensor:
        """Return the distance of each pair, [N]."""
        if isinstance(self.distance, nn.Module):
            self.distance.to(drawn.device, images.dtype)  # moves it in the first turn only
        if callable(self.distance):
            return self.distance(drawn, images)
        difference = drawn - images
        return mean_of_values(difference.abs() if self.distance == "absolute" else difference.square())
