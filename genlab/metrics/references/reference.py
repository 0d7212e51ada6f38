"""Reference: real images of one split and their features, computed when needed and kept between runs."""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from genlab.core.random import generator
from genlab.data.dataset import InMemory, Split
from genlab.data.sets.points import Modes, Points
from genlab.metrics.extractors.extractor import Extractor, data_as_measured
from genlab.metrics.references.frechet import Moments
from genlab.metrics.references.statistics_cache import compute_once


class Reference:
    """One split of a data set and its features by one extractor. Raises ConfigError if there is no such split."""

    def __init__(
        self,
        data: InMemory,
        split: str,
        extractor: Extractor,
        *,
        batch_size: int,  # images at a time; changes nothing
    ) -> None:
        self.data, self.extractor, self.batch_size = data, extractor, batch_size
        self.split = data.reference(split)
        self.name = f"{data.name}/{split}"
        self._others: dict[str, Reference] = {}

    @property
    def count(self) -> int:
        return len(self.split.images)

    def other_split(self, split: str) -> "Reference":
        """Return the reference of a split of the same data. Raises ConfigError if there is no such split."""
        if self.name == f"{self.data.name}/{split}":
            return self
        if split not in self._others:
            self._others[split] = Reference(self.data, split, self.extractor, batch_size=self.batch_size)
        return self._others[split]

    @property
    def classes(self) -> Tensor | None:
        """Return the class int64 [N] of each image, -1 where it is not known; None: labels name none."""
        return self.data.classes_of(self.split)

    @property
    def modes(self) -> Modes | None:
        """Return the modes of points that are drawn from a mixture; None for other data."""
        return self.data.modes if isinstance(self.data, Points) else None

    def draw_images(self, count: int, seed: int) -> Split:
        """Return `count` random images, cropped, with their classes. Random, as a set may be sorted by class."""
        rows = torch.randperm(self.count, generator=generator(seed, "real images"))[:count]
        return Split(self.data.spec.crop(self.split.images[rows]), None if self.classes is None else self.classes[rows])

    @cached_property
    def fingerprint(self) -> str:
        """Return the split's fingerprint without the padding that some networks need: it is not measured."""
        return self.split._replace(images=self.data.spec.crop(self.split.images)).fingerprint()

    @cached_property
    def features(self) -> Tensor:
        """Return the features of all images, float32 [N, D], on the CPU."""
        return compute_once(self._key("features"), lambda: {"features": torch.cat(list(self._batches()))})["features"]

    @cached_property
    def moments(self) -> Moments:
        found = compute_once(self._key("moments"), lambda: self._measure_moments().tensors())
        return Moments(self.count, found["mean"], found["scatter"])

    def _measure_moments(self) -> Moments:
        measured = vars(self).get("features")  # features that are there need no second pass over the images
        moments = Moments()
        for features in self._batches() if measured is None else measured.split(self.batch_size):
            moments.update(features)
        return moments

    def _batches(self) -> Iterator[Tensor]:
        for images in self.split.images.split(self.batch_size):
            yield self.extractor(data_as_measured(images, self.data.spec)).cpu()

    def _key(self, kind: str) -> dict[str, str | int]:
        return {
            "kind": kind,
            "images": self.fingerprint,
            "extractor": self.extractor.identity,
            "resize": self.extractor.resize_rule,
            "padding": self.data.padding,
        }
