"""The training images nearest to samples, which show whether a sample was memorised."""

import logging
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved, to_float, to_uint8
from genlab.core.types import Amount, Side
from genlab.metrics.extractors.extractor import Extractor
from genlab.metrics.references.reference import Reference
from genlab.pictures.sheet import sheet
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Picture, Request

Distances = Callable[["Tensor"], "Tensor"]  # samples [S, C, H, W] in [-1, 1] -> [S, N] to all training images
CHUNK_IMAGES = 2_000  # training images compared at a time
log = logging.getLogger(__name__)


class Neighbours(Picture):
    """Draw each sample beside the training images nearest to it, in pixels or in an extractor's features.

    Where training mirrors images, the nearer of a training image and its mirror image counts.
    Raises ConfigError for `features: extractor` if the extractor does not read such images.
    """

    real: ClassVar[bool | None] = True

    def __init__(
        self,
        extractor: Extractor,
        *,
        count: Amount = 8,  # samples
        nearest: Side = 8,  # training images beside each
        features: Literal["pixels", "extractor"] = "pixels",
    ) -> None:
        self.extractor, self.count, self.nearest = extractor, count, nearest
        self.uses_features = features == "extractor"

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        if not self.uses_features:
            return
        data = loaded.run.data
        try:
            self.extractor.check(data.spec)
            self.extractor.check_reading(data.with_classes(data.train), data.spec)
        except ConfigError as error:
            raise ConfigError(
                f"mode.features=extractor: {error} Here: metrics/extractor@mode.extractor=inception, or "
                "mode.features=pixels."
            ) from error

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        data, samples = loaded.run.data, loaded.sample(self.count, **request.options)
        images = loaded.spec.crop(data.train.images)
        distances = self.feature_distances(loaded) if self.uses_features else pixel_distances(images, loaded.run.device)
        found, indices = nearest_images(as_saved(samples), distances, self.nearest, mirrored=data.flip)
        for number, distance in enumerate(found[:, 0].tolist()):
            log.info("sample %d: its nearest training image differs by %.3f %s", number, distance, self.unit)
        rows = torch.cat([to_uint8(samples)[:, None], images[indices.cpu()]], 1)
        return sheet(rows.flatten(0, 1), rows.shape[1])

    @property
    def unit(self) -> str:
        return f"in {self.extractor.name}'s features" if self.uses_features else "a pixel (root mean square)"

    def feature_distances(self, loaded: Loaded) -> Distances:
        extractor, data = self.extractor.to(loaded.run.device), loaded.run.data
        training = Reference(data, "train", extractor, batch_size=loaded.batch_size)  # caches the features
        return lambda samples: torch.cdist(extractor(samples).cpu(), training.features)


def nearest_images(
    samples: Tensor, distances: Distances, count: int, *, mirrored: bool = False
) -> tuple[Tensor, Tensor]:
    """Return distances and indices [S, count] of the images nearest to samples [S, C, H, W], nearest first."""
    far = distances(samples)
    if mirrored:
        far = torch.minimum(far, distances(samples.flip(-1)))
    found = far.topk(min(count, far.shape[1]), dim=1, largest=False)
    return found.values, found.indices


def pixel_distances(images: Tensor, device: torch.device | str = "cpu") -> Distances:
    """Return a function for distances to images uint8 [N, C, H, W]: root mean squared differences in [-1, 1]."""

    def distances(samples: Tensor) -> Tensor:
        flat = samples.to(device).flatten(1)
        pieces = (to_float(part.to(device)).flatten(1) for part in images.split(CHUNK_IMAGES))
        exact = "donot_use_mm_for_euclid_dist"  # the faster formula gives identical images a distance above 0
        return torch.cat([torch.cdist(flat, piece, compute_mode=exact) for piece in pieces], 1) / flat.shape[1] ** 0.5

    return distances
