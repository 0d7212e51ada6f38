"""The last healthy state of a run, and the request to go back to it."""

from pathlib import Path
from typing import Any

from genlab.callbacks.save_checkpoints import save_newest
from genlab.core import checkpoint
from genlab.core.errors import RunError
from genlab.trainers.trainer import Trainer


class LastHealthy:
    """Keeps the last healthy state in `checkpoints/healthy`, apart from the run's other checkpoints."""

    def __init__(
        self,
        rate_factor: float,  # on every learning rate, at each rollback
        max_rollbacks: int,
    ) -> None:
        self.rate_factor, self.max_rollbacks = rate_factor, max_rollbacks

    def start(self, trainer: Trainer) -> None:
        checkpoint.remove_beyond(self.folder(trainer), trainer.images)

    def save(self, trainer: Trainer) -> None:
        save_newest(trainer, self.folder(trainer), keep=1)

    def request_rollback(self, trainer: Trainer) -> str:
        """Ask the trainer to go back, and return a sentence on the outcome; "" if the run ends or goes back anyway."""
        if trainer.stop_reason or trainer.rollback.target:
            return ""
        if trainer.rollback.count >= self.max_rollbacks:
            trainer.stop(f"sick again after callbacks.health.rollbacks={self.max_rollbacks} rollbacks")
            return f"It was rolled back {self.max_rollbacks} times (callbacks.health.rollbacks) and stops."
        state = self.read(trainer)
        if state is None:
            return "There is no healthy checkpoint to roll back to."
        trainer.rollback.request(state["parts"], self.rate_factor)
        slower = f"learning rates x {trainer.rollback.rate_factor * self.rate_factor:.3g} from there"
        return f"Rolled back to {state['parts']['position']['images']:,} images, {slower}."

    def read(self, trainer: Trainer) -> dict[str, Any] | None:
        """Return the last healthy state; None if there is none, or a damaged one, of which a warning tells."""
        try:
            newest = checkpoint.newest_good(self.folder(trainer))
        except RunError:
            return None
        return newest[1] if newest else None

    @staticmethod
    def folder(trainer: Trainer) -> Path:
        return trainer.run_dir / "checkpoints" / "healthy"
