"""Checkpoints of the run: at intervals, at the best score so far, and at the end."""

from pathlib import Path

from genlab.callbacks.scores import best_record
from genlab.core import checkpoint
from genlab.core.types import Count
from genlab.trainers.callback import Callback
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
        save_newest(trainer, self._folder(trainer), keep=self.keep)

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        best = best_record(trainer)
        if best and best.position == trainer.images and values.get(f"score/{best.metric}") == best.value:
            save_run(trainer, self._folder(trainer) / "best.pt")

    def after_rollback(self, trainer: Trainer) -> None:
        checkpoint.remove_beyond(self._folder(trainer), trainer.images)
        self.tick(trainer)  # a run that is killed now resumes at the lower rates

    def finish(self, trainer: Trainer) -> None:
        if trainer.images > trainer.resumed_from:
            self.tick(trainer)

    @staticmethod
    def _folder(trainer: Trainer) -> Path:
        return trainer.run_dir / "checkpoints"


def save_newest(trainer: Trainer, folder: Path, *, keep: int) -> None:
    """Save the run as `<images>.pt`, and remove all but the newest `keep` checkpoints of the folder."""
    save_run(trainer, folder / f"{trainer.images:010d}.pt")
    for old in checkpoint.newest_first(folder)[keep:]:
        checkpoint.remove(old)


def save_run(trainer: Trainer, path: Path) -> None:
    """Save the run. Raises Diverged if a statistic is not finite: a good checkpoint must not be replaced."""
    trainer.statistics.check_finite()
    data = trainer.data
    facts = {"fingerprint": data.fingerprint, "splits": data.split_fingerprints, "spec": trainer.spec}
    checkpoint.save(path, trainer.parts, config=trainer.config, **facts)
