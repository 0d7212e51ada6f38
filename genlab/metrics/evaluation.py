"""Evaluation: one pass over generated images feeds all metrics; statistics of real ones are kept for later runs."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Amount
from genlab.data.dataset import InMemory
from genlab.metrics.extractors.extractor import Extractor
from genlab.metrics.metric import Metric
from genlab.metrics.records import Record
from genlab.metrics.references.reference import Reference
from genlab.metrics.sample_source import Samples, SampleSource, iterate_samples
from genlab.metrics.trained_model import TrainedModel
from genlab.metrics.working_metrics import WorkingMetrics, checked_numbers

# Images, generated or real, below which a kind of metrics goes wrong, and how.
FEW_BIAS = (2_000, "is far too high; compare only like with like")
FEW_SCATTER = (500, "differs from one choice of images to the next: read it as a rough number")


class Evaluation:
    """Scores a generator by several metrics that share an extractor. Images are cropped to the data before padding.

    Generated images are measured as they would be saved: clamped to [-1, 1] and rounded to 8 bit.
    """

    def __init__(
        self,
        extractor: Extractor,
        metrics: dict[str, Metric],
        *,
        images: Amount = 10_000,  # generated for one evaluation
        batch_size: Amount = 250,  # at a time; changes no score
        split: str = "test",  # the real images to compare with: train, test, holdout or auto
    ) -> None:
        for name, metric in metrics.items():
            if not isinstance(metric, Metric):
                raise ConfigError(f"metrics.metrics.{name}: {type(metric).__name__} is not derived from Metric.")
        self.extractor, self.metrics = extractor, metrics
        self.images, self.batch_size, self.split = images, batch_size, split
        self.failures: dict[str, Exception] = {}  # of metrics in the last run, by name
        self.pictures: dict[str, Tensor] = {}  # of the last run, by name: groups of images [G, n, C, H, W]
        self._reference: Reference | None = None

    def check(self, data: InMemory, trained: TrainedModel | None = None) -> None:
        """Raise ConfigError, before training, if no metric fits these images or this model, or if images are too few.

        Warns of single metrics that do not fit.
        """
        reference = self._reference_of(data)
        if any(metric.uses_extractor for metric in self.metrics.values()) and not self.extractor.missing:
            self.extractor.check(data.spec)
            self.extractor.check_reading(data.with_classes(reference.split), data.spec)
        self._require_enough(self._fitting(reference, trained), reference, trained)
        reasons = self._unfit_reasons(reference, trained)
        if reasons and len(reasons) == len(self.metrics):
            raise ConfigError(f"{'; '.join(reasons)}. Choose other metrics, or metrics=none to train without scores.")
        missing = self.extractor.missing  # advice says so
        for reason in reasons if missing is None else [reason for reason in reasons if not reason.endswith(missing)]:
            warnings.warn(f"no such score: {reason}.", stacklevel=2)

    def run(
        self,
        source: SampleSource,
        data: InMemory,
        *,
        device: torch.device | str,
        shared: bool = False,  # do all ranks call it with the same generator? They share the sampling; rank 0 measures
        tell: Callable[[str], None] = lambda words: None,  # what is being done, now and then
    ) -> list[Record]:
        """Return a record for each number of each metric; where ranks share the work, only rank 0 returns any.

        A metric that fails returns none; its error is in `failures`. Raises ConfigError if the split is missing, or if
        there are too few images.
        """
        reference = self._reference_of(data)
        working = self._fitting(reference, source.trained)
        self._require_enough(working, reference, source.trained)
        if any(metric.uses_extractor for metric in working.metrics.values()):
            self.extractor.to(device)
        self._update_metrics(working, source, data.spec, shared=shared, tell=tell)
        if not is_measuring(shared):
            return []
        tell(f"computing {', '.join(working.metrics)}")
        if any(metric.needs_features for metric in working.metrics.values()):
            _ = reference.features  # first: moments are then computed from them
        found = working.call_each(lambda metric: self._records(metric, reference, source))
        drawing = WorkingMetrics(working.metrics)
        drawn = drawing.call_each(lambda metric: metric.pictures(reference))
        self.pictures = {name: groups for pictures in drawn.values() for name, groups in pictures.items()}
        self.failures = working.failures | {f"{name}, its pictures": error for name, error in drawing.failures.items()}
        return [record for records in found.values() for record in records]

    def _fitting(self, reference: Reference, trained: TrainedModel | None) -> WorkingMetrics:
        """Return the metrics that fit the data and the model."""
        working = WorkingMetrics(self.metrics)
        reasons = working.call_each(lambda metric: self._unfit_reason(metric, reference, trained))
        working.metrics = {name: metric for name, metric in working.metrics.items() if not reasons[name]}
        return working

    def refuse_ignored(self, asked: Iterable[str]) -> None:
        """Raise ConfigError if `split` or `images` is among the names asked for and no metric depends on it."""
        metrics = self.metrics.values()
        used = {
            "split": any(metric.uses_split for metric in metrics),
            "images": any(metric.uses_samples for metric in metrics),
        }
        for name in (name for name in asked if metrics and not used[name]):
            raise ConfigError(
                f"{name}={getattr(self, name)}: has no effect on {', '.join(self.metrics)}. Leave it out, or add a "
                "metric that uses it: metrics=[swd]."
            )

    def advice(self, data: InMemory) -> list[str]:
        """Return a sentence for each kind of metrics that so few samples or real images make wrong; [] for none."""
        split = split_to_compare(self.split, data)
        real = len(data.reference(split).images)
        counts = {f"metrics.images={self.images:,}": self.images, f"{real:,} real images ({split})": real}
        missing = [name for name, metric in self.metrics.items() if self._lacks_features(metric)]
        metrics = [(name, metric) for name, metric in self.metrics.items() if name not in missing]
        wrong = {
            FEW_BIAS: [name for name, metric in metrics if metric.biased_by_few],
            FEW_SCATTER: [name for name, metric in metrics if metric.scattered_by_few],
        }
        found = [f"no {' and '.join(missing)}: {self.extractor.missing}."] if missing else []
        for (least, effect), names in wrong.items():
            few = " and ".join(words for words, count in counts.items() if count < least)
            if few and names:
                found.append(f"{few}: {' and '.join(names)} from fewer than {least:,} images of either kind {effect}.")
        return found

    def _require_enough(self, working: WorkingMetrics, reference: Reference, trained: TrainedModel | None) -> None:
        reasons = working.call_each(lambda metric: metric.too_few_reason(self.images, reference, trained))
        for name, reason in reasons.items():
            if reason:
                raise ConfigError(f"metrics.metrics.{name}: {reason}.")

    def _unfit_reasons(self, reference: Reference, trained: TrainedModel | None) -> list[str]:
        """Return why single metrics do not fit, a sentence each. Raises the ConfigError of a metric that raises one."""
        working = WorkingMetrics(self.metrics)
        reasons = working.call_each(lambda metric: self._unfit_reason(metric, reference, trained))
        for error in working.failures.values():
            if isinstance(error, ConfigError):
                raise error
        return [f"metrics.metrics.{name}: {reason}" for name, reason in reasons.items() if reason]

    def _unfit_reason(self, metric: Metric, reference: Reference, trained: TrainedModel | None) -> str | None:
        missing = self.extractor.missing if self._lacks_features(metric) else None
        return missing or metric.unfit_reason(reference, trained)

    def _lacks_features(self, metric: Metric) -> bool:
        return metric.uses_extractor and self.extractor.missing is not None

    def may_return(self, number: str) -> bool:
        """Tell whether a number of this name may come out."""
        return any(metric.may_return(number, self.extractor) for metric in self.metrics.values())

    def _records(self, metric: Metric, reference: Reference, source: SampleSource) -> list[Record]:
        numbers = checked_numbers(metric.compute(reference))
        return [
            self._record(*number, metric, reference, source, judges_run=metric.judges_run and place == 0)
            for place, number in enumerate(numbers.items())
        ]

    def _record(
        self, name: str, value: float, metric: Metric, reference: Reference, source: SampleSource, *, judges_run: bool
    ) -> Record:
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
            higher_is_better=metric.direction(name),
            own_data=source.own_data,
            judges_run=judges_run,
        )

    def _update_metrics(
        self, working: WorkingMetrics, source: SampleSource, spec: Spec, *, shared: bool, tell: Callable[[str], None]
    ) -> None:
        """Show the metrics all samples. Ranks that share the work make the same ones, whichever metrics fail on one."""
        working.call_each(lambda metric: (metric.reset(), metric.start(source)))
        users = [metric for metric in working.metrics.values() if metric.uses_samples]
        extractor = self.extractor if any(metric.uses_extractor for metric in users) else None
        chunks = list(_chunks(self.images if users else 0, self.batch_size))
        every = iterate_samples(source, chunks, spec, extractor, shared=shared)
        for (start, _), samples in zip(chunks, every, strict=True):
            tell(f"scoring {start + len(samples.images):,} of {self.images:,} samples")
            if is_measuring(shared):
                working.call_each(partial(_show_samples, samples=samples))

    def _reference_of(self, data: InMemory) -> Reference:
        """Return the reference of a data set, which is hashed once."""
        if self._reference is None or self._reference.data is not data:
            split = split_to_compare(self.split, data)
            self._reference = Reference(data, split, self.extractor, batch_size=self.batch_size)
        return self._reference


def split_to_compare(asked: str, data: InMemory) -> str:
    """Return the name of the split: for `auto` test, or train where there are no images to test with."""
    return asked if asked != "auto" else "train" if data.test is None else "test"


def _show_samples(metric: Metric, *, samples: Samples) -> None:
    if not metric.uses_samples:
        return
    metric.update_images(samples.images, samples.condition)
    if metric.uses_extractor:
        metric.update(samples.features, samples.condition)


def is_measuring(shared: bool) -> bool:
    """Tell whether this rank measures: where ranks share the work, rank 0 alone does."""
    return distributed.is_main() or not shared


def _chunks(total: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield (start, count) of each chunk; the last may be smaller."""
    return ((start, min(size, total - start)) for start in range(0, total, size))
