"""One pass over generated images feeds every metric; one pass over real ones is kept for all later runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from genlab.data.dataset import InMemory, Split
from genlab.metrics.cache import cached_moments
from genlab.metrics.extractors import Extractor
from genlab.metrics.frechet import Moments
from genlab.metrics.records import Record
from genlab.spec import Spec
from genlab.types import Count

Sample = Callable[[int, int], Tensor]


@runtime_checkable
class Metric(Protocol):
    """Is fed features of generated images and yields named numbers."""

    higher_is_better: bool

    def reset(self) -> None: ...
    def update(self, features: Tensor) -> None: ...
    def compute(self, reference: Moments) -> dict[str, float]: ...


class Evaluation:
    """How a generator is scored. Images, real and generated, are cropped to what the data set held before padding.

    Generated images are measured as they would be saved: clamped to [-1, 1] and rounded to 8 bit.
    """

    def __init__(
        self,
        extractor: Extractor,
        metrics: dict[str, Metric],
        *,
        images: Count = 10_000,  # generated for one evaluation
        batch_size: Count = 250,  # at a time; changes no score
        split: str = "test",  # the real images to compare with: train, test or holdout
    ) -> None:
        self.extractor, self.metrics = extractor, metrics
        self.images, self.batch_size, self.split = images, batch_size, split
        self._reference: tuple[InMemory, str, Moments] | None = None

    def check(self, data: InMemory) -> None:
        """Raises ConfigError, before anything is trained, if these images cannot be scored."""
        self.extractor.check(data.spec)
        data.reference(self.split)

    def run(
        self,
        sample: Sample,  # (start, count) -> images of a fixed stream, float [count, C, H, W] in [-1, 1]
        data: InMemory,
        *,
        device: torch.device | str,
        seed: int,  # of the stream
        position: int,  # images seen in training
        ema: bool,  # does the stream come from the averaged generator?
    ) -> list[Record]:
        """A record for each number of each metric. Raises ConfigError if the split or two images are missing."""
        self.extractor.to(device)
        fingerprint, reference = self._measure_reference(data)
        self._feed(sample, data.spec)
        return [
            Record(
                metric=name,
                value=value,
                extractor=self.extractor.name,
                extractor_hash=self.extractor.identity,
                reference=f"{data.name}/{self.split}",
                reference_hash=fingerprint,
                images=self.images,
                reference_images=reference.count,
                resize=self.extractor.resize_rule,
                ema=ema,
                seed=seed,
                position=position,
            )
            for metric in self.metrics.values()
            for name, value in metric.compute(reference).items()
        ]

    @torch.no_grad()
    def _feed(self, sample: Sample, spec: Spec) -> None:
        for metric in self.metrics.values():
            metric.reset()
        for start, count in _chunks(self.images, self.batch_size):
            features = self._features_of(spec.crop(sample(start, count)))
            for metric in self.metrics.values():
                metric.update(features)

    def _features_of(self, images: Tensor) -> Tensor:
        """Features of generated images; nan for those that are not finite, which 8 bit would turn into a colour."""
        broken = ~images.isfinite().flatten(1).all(1)
        features = self.extractor(as_saved(images))
        return features.masked_fill(broken.to(features.device).unsqueeze(1), torch.nan)

    def _measure_reference(self, data: InMemory) -> tuple[str, Moments]:
        """The split's fingerprint and moments; hashed and looked up once a data set."""
        if self._reference is None or self._reference[0] is not data:
            split = data.reference(self.split)
            fingerprint = split.fingerprint()
            key = {
                "images": fingerprint,
                "extractor": self.extractor.identity,
                "resize": self.extractor.resize_rule,
                "padding": data.padding,
            }
            moments = cached_moments(key, lambda: self._moments_of(split, data.spec))
            self._reference = data, fingerprint, moments
        return self._reference[1:]

    def _moments_of(self, split: Split, spec: Spec) -> Moments:
        moments = Moments()
        for batch in split.images.split(self.batch_size):
            moments.update(self.extractor(to_float(spec.crop(batch))))
        return moments


def _chunks(total: int, size: int) -> Iterator[tuple[int, int]]:
    """(start, count) of each chunk; the last may be smaller."""
    return ((start, min(size, total - start)) for start in range(0, total, size))


def as_saved(images: Tensor) -> Tensor:
    """Float images as they would come back from an 8-bit file."""
    return to_float(((images.float().clamp(-1, 1) + 1) * 127.5).round())


def to_float(pixels: Tensor) -> Tensor:
    """0 ... 255 -> float in [-1, 1]."""
    return pixels.float() / 127.5 - 1
