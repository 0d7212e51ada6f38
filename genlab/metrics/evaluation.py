"""One pass over generated images feeds every metric; one pass over real ones is kept for all later runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.dataset import InMemory
from genlab.errors import ConfigError
from genlab.metrics.extractors import Extractor
from genlab.metrics.metric import Metric
from genlab.metrics.pixels import as_seen
from genlab.metrics.records import Record
from genlab.metrics.reference import Reference
from genlab.metrics.trained import Trained
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
    trained: Trained | None = None  # what makes it: for metrics that ask for more


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
        self.gave: dict[str, Metric] = {}  # which metric each number of the last run came from
        self._reference: Reference | None = None

    def check(self, data: InMemory, trained: Trained | None = None) -> None:
        """Raises ConfigError, before anything is trained, if these images or this model cannot be scored.

        Warns of single metrics that have no numbers for them.
        """
        if any(metric.uses_extractor for metric in self.metrics.values()):
            self.extractor.check(data.spec)
            self.extractor.check_reading(data.reference(self.split), data.spec)
        reasons = self._unfit(self._reference_of(data), trained)
        if reasons and len(reasons) == len(self.metrics):
            raise ConfigError(f"{'; '.join(reasons)}. Choose other metrics, or metrics=none to train without scores.")
        for reason in reasons:
            warnings.warn(f"no such score: {reason}.", stacklevel=2)

    def run(self, source: Source, data: InMemory, *, device: torch.device | str) -> list[Record]:
        """A record for each number of each metric. Raises ConfigError if the split or two images are missing."""
        reference = self._reference_of(data)
        metrics = [metric for metric in self.metrics.values() if not metric.unfit(reference, source.trained)]
        if any(metric.uses_extractor for metric in metrics):
            self.extractor.to(device)
        if any(metric.needs_features for metric in metrics):
            _ = reference.features  # before moments, which follow from them
        self._feed(metrics, source, data.spec)
        found = [(metric, *number) for metric in metrics for number in metric.compute(reference).items()]
        self.gave = {name: metric for metric, name, _ in found}
        return [self._record(name, value, metric, reference, source) for metric, name, value in found]

    def _unfit(self, reference: Reference, trained: Trained | None) -> list[str]:
        """Which metrics have no numbers, and why."""
        reasons = {name: metric.unfit(reference, trained) for name, metric in self.metrics.items()}
        return [f"metrics.metrics.{name}: {reason}" for name, reason in reasons.items() if reason]

    def _record(self, name: str, value: float, metric: Metric, reference: Reference, source: Source) -> Record:
        extractor = self.extractor if metric.uses_extractor else None
        return Record(
            metric=name,
            value=value,
            extractor=extractor.name if extractor else "none",
            extractor_hash=extractor.identity if extractor else "",
            reference=reference.name,
            reference_hash=reference.fingerprint,
            images=self.images if metric.uses_samples else 0,
            reference_images=reference.count,
            resize=extractor.resize_rule if extractor else "none",
            ema=source.ema,
            seed=source.seed,
            position=source.position,
            settings=metric.settings,
        )

    @torch.no_grad()
    def _feed(self, metrics: list[Metric], source: Source, spec: Spec) -> None:
        for metric in metrics:
            metric.reset()
            metric.start(source)
        fed = [metric for metric in metrics if metric.uses_samples]
        for start, count in _chunks(self.images if fed else 0, self.batch_size):
            self._show(fed, source.sample(start, count), source.conditions(start, count), spec)

    def _show(self, metrics: list[Metric], samples: Tensor, condition: Tensor | None, spec: Spec) -> None:
        """Samples that are not finite, which 8 bit would turn into a colour, are nan, and so are their features."""
        broken = ~samples.isfinite().flatten(1).all(1)
        images = masked(as_seen(samples, spec), broken)
        if any(metric.uses_extractor for metric in metrics):
            features = masked(self.extractor(images), broken)
        for metric in metrics:
            metric.look(images, condition)
            if metric.uses_extractor:
                metric.update(features, condition)

    def _reference_of(self, data: InMemory) -> Reference:
        """Hashed and looked up once a data set."""
        if self._reference is None or self._reference.data is not data:
            self._reference = Reference(data, self.split, self.extractor, batch_size=self.batch_size)
        return self._reference


def masked(rows: Tensor, broken: Tensor) -> Tensor:
    """[N, ...] with nan in the rows that `broken` [N] names."""
    return rows.masked_fill(broken.to(rows.device).view(-1, *[1] * (rows.ndim - 1)), torch.nan)


def _chunks(total: int, size: int) -> Iterator[tuple[int, int]]:
    """(start, count) of each chunk; the last may be smaller."""
    return ((start, min(size, total - start)) for start in range(0, total, size))
