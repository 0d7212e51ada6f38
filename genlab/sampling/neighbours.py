"""Is a sample learnt, or remembered?"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

import torch

from genlab.callbacks.grid import sheet, to_uint8
from genlab.metrics.pixels import as_saved, to_float
from genlab.sampling.mode import Asked, Picture
from genlab.types import Count

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded import Loaded

CHUNK = 2_000  # training images compared at a time
log = logging.getLogger(__name__)


class Neighbours(Picture):
    """A row a sample: the sample, then the training images nearest to it, by the distance of their pixels.

    Where training mirrors images, a training image is as near as the nearer of itself and its mirror image.
    """

    real: ClassVar[bool | None] = True

    def __init__(
        self,
        *,
        count: Count = 8,  # samples
        nearest: Count = 8,  # training images beside each
    ) -> None:
        self.count, self.nearest = count, nearest

    def draw(self, loaded: Loaded, asked: Asked) -> Tensor:
        data, device = loaded.trainer.data, loaded.trainer.device
        samples = loaded.sample(self.count, **asked.options)
        images = loaded.spec.crop(data.train.images)
        found, indices = neighbours(as_saved(samples).to(device), images, self.nearest, mirrored=data.flip)
        for number, distance in enumerate(found[:, 0].tolist()):
            log.info(
                "sample %d: its nearest training image differs by %.3f a pixel (root mean square)", number, distance
            )
        rows = torch.cat([to_uint8(samples)[:, None], images[indices.cpu()]], 1)
        return sheet(rows.flatten(0, 1), rows.shape[1])


def neighbours(samples: Tensor, images: Tensor, count: int, *, mirrored: bool = False) -> tuple[Tensor, Tensor]:
    """Samples [S, C, H, W] in [-1, 1], images uint8 [N, C, H, W] -> distances and indices [S, count], nearest first.

    A distance is the root of the mean squared difference of values in [-1, 1].
    """
    chunks = [distances(samples, part, mirrored) for part in images.split(CHUNK)]
    found = torch.cat(chunks, 1).topk(min(count, len(images)), dim=1, largest=False)
    return found.values, found.indices


def distances(samples: Tensor, images: Tensor, mirrored: bool) -> Tensor:
    """[S, N]."""
    pixels = to_float(images.to(samples.device)).flatten(1)
    exact = {"compute_mode": "donot_use_mm_for_euclid_dist"}  # the faster way leaves copies at a distance
    there = torch.cdist(samples.flatten(1), pixels, **exact)
    if mirrored:
        there = torch.minimum(there, torch.cdist(samples.flip(-1).flatten(1), pixels, **exact))
    return there / pixels.shape[1] ** 0.5
