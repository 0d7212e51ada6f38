"""Saves the run: every so often, when the score is the best so far, and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab import checkpoint
from genlab.callbacks.base import Callback
from genlab.callbacks.scores import best_record
from genlab.types import Count

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
        self.save(trainer, path)
        for old in checkpoint.newest_first(path.parent)[self.keep :]:
            checkpoint.remove(old)

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        best = best_record(trainer)
        if best and best.position == trainer.images and f"score/{best.metric}" in values:
            self.save(trainer, self.file(trainer).with_name("best.pt"))

    def finish(self, trainer: Trainer) -> None:
        if trainer.images > trainer.resumed_from:
            self.tick(trainer)

    def save(self, trainer: Trainer, path: Path) -> None:
        trainer.statistics.check()  # a diverged run must not replace a good checkpoint
        facts = {"fingerprint": trainer.data.fingerprint, "spec": trainer.spec}
        checkpoint.save(path, trainer.parts, config=trainer.config, **facts)

    @staticmethod
    def file(trainer: Trainer) -> Path:
        return trainer.run_dir / "checkpoints" / f"{trainer.images:010d}.pt"
