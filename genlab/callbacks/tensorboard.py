"""Curves and pictures for TensorBoard, with images as steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from torch import Tensor

from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Callback):
    """Writes event files into the run directory. Curves of a run that is resumed or went back go on from there."""

    def __init__(self) -> None:
        self._writer: SummaryWriter | None = None

    def start(self, trainer: Trainer) -> None:
        lines = yaml.safe_dump(trainer.config, sort_keys=False).splitlines()
        writer = self._open(trainer)
        writer.add_text("config", "".join(f"    {line}\n" for line in lines), trainer.images)  # a Markdown code block
        writer.flush()

    def after_rollback(self, trainer: Trainer) -> None:
        self.finish(trainer)
        self._writer = None  # the next writer hides points beyond the position

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        writer = self._open(trainer)
        for name, value in values.items():
            writer.add_scalar(name, value, trainer.images)
        writer.flush()  # a killed run loses no point before its last checkpoint

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        writer = self._open(trainer)
        writer.add_image(name, image, trainer.images)
        writer.flush()

    def finish(self, trainer: Trainer) -> None:
        if self._writer is not None:
            self._writer.close()  # if another callback's `finish` publishes after this, it opens a file of its own

    def _open(self, trainer: Trainer) -> SummaryWriter:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # a second of imports

            # TensorBoard hides points of earlier files from `purge_step` on. The point at the position itself stays;
            # a run that starts anew after a crash before its first checkpoint keeps nothing.
            purge = trainer.resumed_from + 1 if trainer.resumed_from else 0
            self._writer = SummaryWriter(str(trainer.run_dir), purge_step=purge)
        return self._writer
