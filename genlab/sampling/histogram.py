"""How often each pixel value comes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import torch

from genlab.core.pixels import to_uint8
from genlab.core.types import Count
from genlab.data.blank_dataset import Blank
from genlab.pictures.scatter import GENERATED, REAL
from genlab.sampling.histogram_picture import panels
from genlab.sampling.mode import Asked, Picture

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded_run import Loaded

log = logging.getLogger(__name__)


class Histogram(Picture):
    """Shares of pixel values 0 to 255, on a logarithmic scale, a panel a channel: generated ones as a red line over
    those of as many real images (test images, else training images), in blue, where the data can be reached.

    Says how far the two lie apart: the total variation distance, 0 if alike and 1 if no value is shared.
    """

    real: ClassVar[bool | None] = None

    def __init__(
        self,
        *,
        count: Count = 1_000,  # images
        bins: Count = 64,
    ) -> None:
        self.count, self.bins = count, bins

    def draw(self, loaded: Loaded, asked: Asked) -> Tensor:
        made = sum(counts(to_uint8(images), self.bins) for images, _ in loaded.batches(self.count, **asked.options))
        sets = [(made / made.sum(1, keepdim=True), GENERATED)]
        data = loaded.run.data
        if not isinstance(data, Blank):
            there = counts(loaded.spec.crop((data.test or data.train).images[: self.count]), self.bins)
            sets.insert(0, (there / there.sum(1, keepdim=True), REAL))
            apart = (sets[0][0] - sets[1][0]).abs().sum(1) / 2
            log.info("total variation distance: %s", ", ".join(f"{value:.3f}" for value in apart.tolist()))
        return panels(sets)


def counts(images: Tensor, bins: int) -> Tensor:
    """uint8 [N, C, H, W] -> float64 [C, bins]."""
    channels = images.cpu().movedim(1, 0).flatten(1).long() * bins // 256
    return torch.stack([channel.bincount(minlength=bins) for channel in channels]).double()
