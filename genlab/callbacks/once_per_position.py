"""The base of callbacks that work at intervals and at the end."""

from typing import Any

from torch import Tensor

from genlab.core.interruption import interruptible, uninterruptible
from genlab.pictures.sheet import write_png
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer


class OncePerPosition(Callback):
    """Runs `work` at each tick and at the end, but never twice at one position, and only for models it `applies` to.

    A signal cuts `work` short; what it publishes together belongs into `uninterruptible`.
    """

    def applies(self, trainer: Trainer) -> bool:
        return True

    def work(self, trainer: Trainer) -> None:
        raise NotImplementedError

    def tick(self, trainer: Trainer) -> None:
        if self.done_at != trainer.images and self.applies(trainer):
            with interruptible():
                self.work(trainer)
            self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        if not trainer.interrupted:  # whoever sent the signal does not wait
            self.tick(trainer)

    def state_dict(self) -> dict[str, Any]:
        return {"done_at": self.done_at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.done_at = state["done_at"]


def save_picture(trainer: Trainer, picture: Tensor, file: str, title: str) -> None:
    """Write a picture, uint8 [1, 3 or 4, H, W], to `file` in the run directory, and publish it under `title`."""
    with uninterruptible():
        write_png(picture, trainer.run_dir / file)
        trainer.show(title, picture)
