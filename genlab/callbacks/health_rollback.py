"""The last healthy state of a run, and the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genlab.callbacks.save_checkpoints import save_run
from genlab.core import checkpoint
from genlab.core.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

    from genlab.trainers.trainer import Trainer


class LastHealthy:
    """Kept in `checkpoints/healthy`, whatever becomes of the run's other checkpoints."""

    def __init__(self, factor: float, most: int) -> None:
        self.factor, self.most = factor, most  # on the learning rates, each time; times that a run goes back

    def start(self, trainer: Trainer) -> None:
        checkpoint.remove_beyond(self.folder(trainer), trainer.images)

    def save(self, trainer: Trainer) -> None:
        path = self.folder(trainer) / f"{trainer.images:010d}.pt"
        save_run(trainer, path)
        for old in checkpoint.newest_first(path.parent)[1:]:
            checkpoint.remove(old)

    def go_back(self, trainer: Trainer) -> str:
        """Asks for it. Gives what comes of that in words: nothing where the run ends, or goes back, anyway."""
        if trainer.stop_reason or trainer.rollback.target:
            return ""
        if trainer.rollback.count >= self.most:
            trainer.stop(f"sick again after callbacks.health.rollbacks={self.most} rollbacks")
            return f"It was rolled back {self.most} times (callbacks.health.rollbacks) and stops."
        state = self.read(trainer)
        if state is None:
            return "There is no healthy checkpoint to roll back to."
        trainer.rollback.request(state["parts"], self.factor)
        slower = f"learning rates x {trainer.rollback.rate_factor * self.factor:.3g} from there"
        return f"Rolled back to {state['parts']['position']['images']:,} images, {slower}."

    def read(self, trainer: Trainer) -> dict[str, Any] | None:
        try:
            found = checkpoint.newest_good(self.folder(trainer))
        except RunError:  # damaged, as was said in a warning
            return None
        return found[1] if found else None

    @staticmethod
    def folder(trainer: Trainer) -> Path:
        return trainer.run_dir / "checkpoints" / "healthy"
