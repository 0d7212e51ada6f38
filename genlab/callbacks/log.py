"""Publishes training's own numbers."""

import time

from genlab.core.types import Count
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer


class Log(Callback):
    """Publishes statistics since the last tick, learning rates, and the speed of training without its callbacks.

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
        images, began = self._images, self._time
        self.start(trainer)
        shown = self._images - images  # none by this process, where it was resumed at its end
        speed = {"speed/images_per_second": shown / max(self._time - began, 1e-9)} if shown else {}
        trainer.publish(values | trainer.learning_rates() | speed)

    def finish(self, trainer: Trainer) -> None:
        """Publish the rest of a complete run.

        A run that ended early keeps its open interval in the checkpoint, and resumes to the same curves.
        """
        if len(trainer.statistics) and trainer.images >= trainer.total_images and not trainer.interrupted:
            self.tick(trainer)
