"""Checkpoints of the run: at intervals, at the best score so far, and at the end."""

import logging
from functools import partial
from pathlib import Path

from genlab.callbacks.scores import best_record
from genlab.core import checkpoint
from genlab.core.errors import Diverged, GenlabError
from genlab.core.finiteness import require_finite
from genlab.core.types import Count
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer

log = logging.getLogger(__name__)


class Checkpoint(Callback):
    """Keeps the last `keep` checkpoints, and `best.pt`, the one of the best score.

    At the end the run is saved before it is scored, and again after. A state that is not finite replaces none of these:
    the last one is kept as `sick-<images>.pt`.
    """

    essential = True

    def __init__(
        self,
        *,
        every: Count = 250_000,  # images
        keep: Count = 2,
    ) -> None:
        self.every, self.keep = every, keep
        self._saved_at = 0  # images
        self._changed = False  # since then: what is published changes the state of callbacks

    def start(self, trainer: Trainer) -> None:
        self._saved_at = trainer.images

    def tick(self, trainer: Trainer) -> None:
        save_newest(trainer, self._folder(trainer), keep=self.keep)
        self._saved_at, self._changed = trainer.images, False

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        self._changed = True
        best = best_record(trainer)
        if best and best.position == trainer.images and values.get(f"score/{best.metric}") == best.value:
            save_run(trainer, self._folder(trainer) / "best.pt")

    def after_rollback(self, trainer: Trainer) -> None:
        checkpoint.remove_beyond(self._folder(trainer), trainer.images)
        self.tick(trainer)  # a run that is killed now resumes at the lower rates

    def save(self, trainer: Trainer) -> None:
        if self._saved_at != trainer.images or self._changed or trainer.interrupted:
            self.tick(trainer)

    def finish(self, trainer: Trainer) -> None:
        if self._changed:
            self.tick(trainer)

    def fail(self, trainer: Trainer, error: GenlabError) -> None:
        if not isinstance(error, Diverged):
            self.save(trainer)

    @staticmethod
    def _folder(trainer: Trainer) -> Path:
        return trainer.run_dir / "checkpoints"


def save_newest(trainer: Trainer, folder: Path, *, keep: int) -> None:
    """Save the run as `<images>.pt`, and remove all but the newest `keep` checkpoints of the folder."""
    save_run(trainer, folder / f"{trainer.images:010d}.pt")
    for old in checkpoint.newest_first(folder)[keep:]:
        checkpoint.remove(old)


def save_run(trainer: Trainer, path: Path) -> None:
    """Save the run. A state that is not finite is kept apart instead: a good checkpoint must not be replaced.

    Raises Diverged if a statistic is not finite: then no turn can be taken any more.
    """
    trainer.statistics.check_finite()
    data = trainer.data
    facts = {"fingerprint": data.fingerprint, "splits": data.split_fingerprints, "spec": trainer.spec}
    save = partial(checkpoint.save, parts=trainer.parts, config=trainer.config, **facts)
    try:
        require_finite(trainer.parts)
    except Diverged as error:
        save_apart(trainer, save)
        trainer.warn_of_sickness(error)
    else:
        save(path)


def save_apart(trainer: Trainer, save: partial[None]) -> None:
    """Save a state that is not finite under a name of its own, in place of the last such one."""
    folder = trainer.run_dir / "checkpoints"
    path = folder / f"sick-{trainer.images:010d}.pt"
    save(path)
    for old in folder.glob("sick-*.pt"):
        if old != path:
            checkpoint.remove(old)
    log.warning("the state at %s images is not finite; it is kept apart, as %s", f"{trainer.images:,}", path)
