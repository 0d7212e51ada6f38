"""Curves and pictures for TensorBoard; its step axis counts images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.tensorboard import SummaryWriter

    from genlab.trainers.trainer import Trainer


class TensorBoard(Callback):
    """Writes event files into the run directory. Curves of a run that is resumed or went back go on from there."""

    def __init__(self) -> None:
        self._writer: SummaryWriter | None = None

    def start(self, trainer: Trainer) -> None:
        writer = self._open(trainer)
        writer.add_text("config", _as_yaml(trainer.config), trainer.images)
        writer.flush()

    def after_rollback(self, trainer: Trainer) -> None:
        self.finish(trainer)
        self._writer = None  # the next one hides what lies beyond

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        writer = self._open(trainer)
        for name, value in values.items():
            writer.add_scalar(name, value, trainer.images)
        writer.flush()  # a killed run loses no point that its checkpoint is past

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        writer = self._open(trainer)
        writer.add_image(name, image, trainer.images)
        writer.flush()

    def finish(self, trainer: Trainer) -> None:
        if self._writer is not None:
            self._writer.close()  # what another callback's `finish` still shows opens a file of its own

    def _open(self, trainer: Trainer) -> SummaryWriter:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # a second of imports

            # TensorBoard hides what earlier files hold from `purge_step` on. The point at the position itself stays;
            # a run that starts anew after a crash before its first checkpoint keeps nothing.
            purge = trainer.resumed_from + 1 if trainer.resumed_from else 0
            self._writer = SummaryWriter(str(trainer.run_dir), purge_step=purge)
        return self._writer


def _as_yaml(config: dict[str, Any]) -> str:
    """As a Markdown code block."""
    import yaml

    return "".join(f"    {line}\n" for line in yaml.safe_dump(config, sort_keys=False).splitlines())
