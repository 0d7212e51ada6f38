"""Scores the generator every so many images, and remembers the best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genlab.callbacks.base import Callback
from genlab.metrics.evaluation import Evaluation, Metric
from genlab.metrics.extractors import Extractor
from genlab.metrics.records import Record
from genlab.types import Count

if TYPE_CHECKING:
    from genlab.trainers.trainer import Trainer


class Scores(Callback):
    """Publishes each number as `score/NAME`, and its record. The first metric's first number decides `best`."""

    def __init__(
        self,
        extractor: Extractor,
        metrics: dict[str, Metric],
        *,
        every: Count = 200_000,  # interval in images; the end of the run is scored as well
        images: Count = 10_000,  # generated for one score
        split: str = "test",  # real images to compare with: train, test or holdout
        batch_size: Count = 250,  # images at a time; changes no score
    ) -> None:
        self.every = every
        self.evaluation = Evaluation(extractor, metrics, images=images, batch_size=batch_size, split=split)
        self.best: dict[str, float] | None = None  # {"fid": ..., "images": ...}
        self.scored: int | None = None  # position of the last score

    def start(self, trainer: Trainer) -> None:
        self.evaluation.check(trainer.data)

    def tick(self, trainer: Trainer) -> None:
        if trainer.images == self.scored:
            return
        records = self.evaluation.run(
            trainer.draw_samples,
            trainer.data,
            device=trainer.device,
            seed=trainer.seed,
            position=trainer.images,
            ema=trainer.ema is not None,
        )
        self.scored = trainer.images
        self._remember(records[0])
        trainer.publish({f"score/{record.metric}": record.value for record in records})
        for record in records:
            trainer.report(record.as_dict())

    def finish(self, trainer: Trainer) -> None:
        self.tick(trainer)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "scored": self.scored}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.scored = state["best"], state["scored"]

    def _remember(self, record: Record) -> None:
        """A nan, from a generator that diverged, is never the best."""
        if math.isnan(record.value) or (self.best is not None and not self._improves(record)):
            return
        self.best = {record.metric: record.value, "images": record.position}

    def _improves(self, record: Record) -> bool:
        sign = -1 if next(iter(self.evaluation.metrics.values())).higher_is_better else 1
        return sign * record.value < sign * self.best[record.metric]
