"""Publishes training's own numbers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from genlab.core.types import Count
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from genlab.trainers.trainer import Trainer


class Log(Callback):
    """Statistics since the last tick, learning rates, and the speed.

    The speed is training's own: what other callbacks took in between (a score, a grid) does not count.
    Raises RunError if a statistic or a gradient was not finite.
    """

    every_rank = True  # statistics are averaged over ranks

    def __init__(self, every: Count | None = 5_000) -> None:
        self.every = every
        self._images, self._time = 0, 0.0

    def start(self, trainer: Trainer) -> None:
        self._images, self._time = trainer.images, time.monotonic() - trainer.callback_seconds

    def after_rollback(self, trainer: Trainer) -> None:
        self.start(trainer)

    def tick(self, trainer: Trainer) -> None:
        values = trainer.statistics.flush()  # the interval's only CPU-GPU synchronisation
        speed = self._speed(trainer)
        trainer.publish(values | trainer.learning_rates() | {"speed/images_per_second": speed})

    def finish(self, trainer: Trainer) -> None:
        """Publishes the rest of a complete run.

        One that ended early keeps its open interval in the checkpoint, and resumes to the same curves.
        """
        if self._images < trainer.images and trainer.images >= trainer.total_images:
            self.tick(trainer)

    def _speed(self, trainer: Trainer) -> float:
        now = time.monotonic() - trainer.callback_seconds
        speed = (trainer.images - self._images) / max(now - self._time, 1e-9)
        self._images, self._time = trainer.images, now
        return speed
