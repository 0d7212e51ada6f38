"""Saves the run: every so often, when the FID is the best so far, and at the end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genlab import checkpoint
from genlab.callbacks.base import Callback
from genlab.types import Count

if TYPE_CHECKING:
    from pathlib import Path

    from genlab.trainers.trainer import Trainer


class Checkpoint(Callback):
    """Keeps the last `keep` checkpoints, and `best.pt`, the one of the lowest FID."""

    def __init__(
        self,
        *,
        every: Count = 250_000,  # images
        keep: Count = 2,
    ) -> None:
        self.every, self.keep, self.best = every, keep, math.inf

    def tick(self, trainer: Trainer) -> None:
        path = self.file(trainer)
        self.save(trainer, path)
        for old in checkpoint.newest_first(path.parent)[self.keep :]:
            checkpoint.remove(old)

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        if values.get("score/fid", math.inf) < self.best:
            self.best = values["score/fid"]
            self.save(trainer, self.file(trainer).with_name("best.pt"))

    def finish(self, trainer: Trainer) -> None:
        if trainer.images > trainer.resumed_from:
            self.tick(trainer)

    def save(self, trainer: Trainer, path: Path) -> None:
        trainer.statistics.check()  # a diverged run must not replace a good checkpoint
        checkpoint.save(path, trainer.parts, config=trainer.config, fingerprint=trainer.data.fingerprint)

    @staticmethod
    def file(trainer: Trainer) -> Path:
        return trainer.run_dir / "checkpoints" / f"{trainer.images:010d}.pt"

    def state_dict(self) -> dict:
        return {"best": self.best}

    def load_state_dict(self, state: dict) -> None:
        self.best = state["best"]
