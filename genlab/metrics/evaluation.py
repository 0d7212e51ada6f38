"""One pass over generated images feeds every metric; one pass over real ones is kept for all later runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.dataset import InMemory
from genlab.metrics.extractors import Extractor
from genlab.metrics.metric import Metric
from genlab.metrics.pixels import as_seen
from genlab.metrics.records import Record
from genlab.metrics.reference import Reference
from genlab.spec import Spec
from genlab.types import Count

Conditions = Callable[[int, int], "Tensor | None"]


@dataclass(frozen=True)
class Source:
    """A fixed stream of generated images, and where in training it comes from."""

    sample: Callable[[int, int], Tensor]  # (start, count) -> float [count, C, H, W] in [-1, 1], or points [count, D]
    conditions: Conditions = lambda start, count: None  # what those were asked to show
    seed: int = 0  # of the stream
    position: int = 0  # images seen in training
    ema: bool = False  # does the stream come from the averaged generator?


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
        self._reference: Reference | None = None

    def check(self, data: InMemory) -> None:
        """Raises ConfigError, before anything is trained, if these images cannot be scored."""
        self.extractor.check(data.spec)
        self.extractor.check_reading(data.reference(self.split), data.spec)

    def run(self, source: Source, data: InMemory, *, device: torch.device | str) -> list[Record]:
        """A record for each number of each metric. Raises ConfigError if the split or two images are missing."""
        self.extractor.to(device)
        reference = self._reference_of(data)
        self._feed(source, data.spec)
        return [
            self._record(name, value, metric, reference, source)
            for metric in self.metrics.values()
            for name, value in metric.compute(reference).items()
        ]

    def _record(self, name: str, value: float, metric: Metric, reference: Reference, source: Source) -> Record:
        return Record(
            metric=name,
            value=value,
            extractor=self.extractor.name,
            extractor_hash=self.extractor.identity,
            reference=reference.name,
            reference_hash=reference.fingerprint,
            images=self.images,
            reference_images=reference.count,
            resize=self.extractor.resize_rule,
            ema=source.ema,
            seed=source.seed,
            position=source.position,
            settings=metric.settings,
        )

    @torch.no_grad()
    def _feed(self, source: Source, spec: Spec) -> None:
        for metric in self.metrics.values():
            metric.reset()
        for start, count in _chunks(self.images, self.batch_size):
            features = self._features_of(source.sample(start, count), spec)
            condition = source.conditions(start, count)
            for metric in self.metrics.values():
                metric.update(features, condition)

    def _features_of(self, images: Tensor, spec: Spec) -> Tensor:
        """Features of generated images; nan for those that are not finite, which 8 bit would turn into a colour."""
        broken = ~images.isfinite().flatten(1).all(1)
        features = self.extractor(as_seen(images, spec))
        return features.masked_fill(broken.to(features.device).unsqueeze(1), torch.nan)

    def _reference_of(self, data: InMemory) -> Reference:
        """Hashed and looked up once a data set; features first, for moments follow from them."""
        if self._reference is None or self._reference.data is not data:
            self._reference = Reference(data, self.split, self.extractor, batch_size=self.batch_size)
        if any(metric.needs_features for metric in self.metrics.values()):
            _ = self._reference.features
        return self._reference


def _chunks(total: int, size: int) -> Iterator[tuple[int, int]]:
    """(start, count) of each chunk; the last may be smaller."""
    return ((start, min(size, total - start)) for start in range(0, total, size))
