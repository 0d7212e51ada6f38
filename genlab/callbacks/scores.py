"""Scores of the generator during training, and the best of them."""

import logging
import math
import warnings
from typing import Any

from genlab.callbacks.once_per_position import save_picture
from genlab.core.errors import ConfigError, GenlabError, describe_error
from genlab.core.interruption import interruptible
from genlab.core.types import Amount, Count
from genlab.metrics.evaluation import Evaluation
from genlab.metrics.extractors.extractor import Extractor
from genlab.metrics.metric import Metric
from genlab.metrics.records import Record, differing_fields
from genlab.metrics.sample_source import SampleSource
from genlab.pictures.sheet import draw_groups
from genlab.trainers.callback import Callback, callbacks_of
from genlab.trainers.sample_stream import SampleStream
from genlab.trainers.trainer import Trainer

log = logging.getLogger(__name__)
PICTURE_FOLDER = "pictures"  # in a run's directory


class Scores(Callback):
    """Publishes each score as `score/NAME`, and its record. The first metric's first score decides `best`.

    Pictures that metrics offer are saved as `pictures/<images>_NAME.png`.
    Raises ConfigError if there is nothing to measure.
    """

    def __init__(
        self,
        extractor: Extractor,
        metrics: dict[str, Metric],
        *,
        every: Count = 200_000,  # interval in images; the end of the run is scored as well
        images: Amount = 10_000,  # generated for one score
        split: str = "test",  # of real images to compare with: train, test, holdout or auto
        batch_size: Amount = 250,  # images at a time; changes no score
    ) -> None:
        if not metrics:
            raise ConfigError("metrics=[]: nothing to measure. Choose some, metrics=[fid,kid], or metrics=none.")
        self.every = every
        self.evaluation = Evaluation(extractor, metrics, images=images, batch_size=batch_size, split=split)
        self.best_record: Record | None = None
        self.scored_at: int | None = None  # images
        self.records: list[Record] = []  # of the last scores that this process measured

    def start(self, trainer: Trainer) -> None:
        self.evaluation.check(trainer.data, trainer.samples)

    def tick(self, trainer: Trainer) -> None:
        if trainer.images == self.scored_at:
            return
        source = source_of(trainer.samples, trainer.images)
        try:
            with interruptible():
                records = self.evaluation.run(source, trainer.data, device=trainer.device, tell=trainer.announce)
        finally:
            trainer.announce("")
        before = self.state_dict()
        self.scored_at, self.records = trainer.images, records
        self._warn_of_lost(records)
        try:
            self._publish(trainer, records)
        except GenlabError:  # the best could not be saved, on a full disk for instance: the resumed run scores again
            self.best_record = None
            self.load_state_dict(before)
            raise
        for name, images in self.evaluation.pictures.items():
            file = f"{PICTURE_FOLDER}/{trainer.images:09d}_{name.replace(' ', '_')}.png"
            save_picture(trainer, draw_groups(images), file, name)

    def _publish(self, trainer: Trainer, records: list[Record]) -> None:
        if not records:
            return
        self._keep_if_best(records[0])
        for record in records:  # before the scores: a checkpoint of the best holds the callbacks that took its record
            trainer.report(record.as_dict())
        trainer.publish({f"score/{record.metric}": record.value for record in records})

    def _warn_of_lost(self, records: list[Record]) -> None:
        for name, error in self.evaluation.failures.items():
            log.warning("metrics.metrics.%s gives no score: %s. The run goes on.", name, describe_error(error))
        if not records and not self.evaluation.failures:
            names = ",".join(self.evaluation.metrics)
            warnings.warn(f"metrics=[{names}]: no number for this model and data.", stacklevel=3)

    def publishes_score(self, number: str) -> bool:
        return self.evaluation.may_return(number)

    def finish(self, trainer: Trainer) -> None:
        if not trainer.interrupted:  # whoever sent the signal does not wait for a score
            self.tick(trainer)

    def state_dict(self) -> dict[str, Any]:
        best = self.best_record
        return {"best": None if best is None else best.as_dict(), "scored": self.scored_at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.best_record is None and state["best"] is not None:  # the best stays the best when the run goes back
            self.best_record = Record(**state["best"])
        self.scored_at = state["scored"]

    def _keep_if_best(self, record: Record) -> None:
        """Keep a record that beats the best. A nan, from a generator that diverged, never does.

        Where the metric of the best failed, another's number does not stand in for it.
        """
        best = self.best_record
        if self.evaluation.failures and best is not None and best.metric != record.metric:
            return
        if not math.isnan(record.value) and (self.best_record is None or self._improves(record, self.best_record)):
            self.best_record = record

    def _improves(self, record: Record, best: Record) -> bool:
        if differing := differing_fields(record, best):
            warnings.warn(
                f"scores are measured in another way than before the run was resumed ({', '.join(differing)}): "
                f"the best of then, {best.metric}={best.value:.4g} at {best.position:,} images, does not compare "
                "and is forgotten.",
                stacklevel=2,
            )
            return True
        return record.value > best.value if record.higher_is_better else record.value < best.value


def source_of(samples: SampleStream, position: int) -> SampleSource:
    """Return the samples that metrics score; `position`: images seen in training so far."""
    return SampleSource(
        samples.draw_samples,
        samples.sample_conditions,
        seed=samples.seed,
        position=position,
        ema=samples.ema is not None,
        own_data=samples.own_data,
        trained=samples,
    )


def best_record(trainer: Trainer) -> Record | None:
    """Return the best score so far of the first metric; None if nothing is scored."""
    return next((scores.best_record for scores in callbacks_of(trainer, Scores)), None)


def last_records(trainer: Trainer) -> list[Record]:
    """Return the records that this process measured last; [] if it has not scored."""
    return [record for scores in callbacks_of(trainer, Scores) for record in scores.records]
