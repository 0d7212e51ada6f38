"""Saves the run: every so often, when the score is the best so far, and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.callbacks.scores import best_record
from genlab.core import checkpoint
from genlab.core.types import Count
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from pathlib import Path

    from genlab.trainers.trainer import Trainer


class Checkpoint(Callback):
    """Keeps the last `keep` checkpoints, and `best.pt`, the one of the best score."""

    def __init__(
        self,
        *,
        every: Count = 250_000,  # images
        keep: Count = 2,
    ) -> None:
        self.every, self.keep = every, keep

    def tick(self, trainer: Trainer) -> None:
        path = self.file(trainer)
        save_run(trainer, path)
        for old in checkpoint.newest_first(path.parent)[self.keep :]:
            checkpoint.remove(old)

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        best = best_record(trainer)
        if best and best.position == trainer.images and values.get(f"score/{best.metric}") == best.value:
            save_run(trainer, self.file(trainer).with_name("best.pt"))

    def after_rollback(self, trainer: Trainer) -> None:
        checkpoint.remove_beyond(self.file(trainer).parent, trainer.images)
        self.tick(trainer)  # killed now, the run resumes at the lower rates

    def finish(self, trainer: Trainer) -> None:
        if trainer.images > trainer.resumed_from:
            self.tick(trainer)

    @staticmethod
    def file(trainer: Trainer) -> Path:
        return trainer.run_dir / "checkpoints" / f"{trainer.images:010d}.pt"


def save_run(trainer: Trainer, path: Path) -> None:
    """Raises Diverged, and saves nothing, if a statistic is not finite: a good checkpoint must not be replaced."""
    trainer.statistics.check_finite()
    facts = {"fingerprint": trainer.data.fingerprint, "spec": trainer.spec}
    checkpoint.save(path, trainer.parts, config=trainer.config, **facts)
