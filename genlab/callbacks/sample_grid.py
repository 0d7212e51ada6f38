"""Sample grids: what the generator makes of the same noise, over training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.callbacks.captions import captioned, texts_of
from genlab.core.pixels import to_uint8
from genlab.core.types import Count
from genlab.pictures.scatter import GENERATED, REAL, frame_of, scatter
from genlab.pictures.sheet import GREY, sheet, write_png
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer

POINTS = 2_500  # shown at a time


class Grid(Callback):
    """Saves `samples/<images>.png` in the run directory, at the start, every so many images and at the end.

    `samples/real.png` shows the first real images, for comparison. Pictures with 1, 3 or 4 channels are drawn as
    grey, RGB and RGBA; with any other number, their channels are drawn in grey, side by side. Of a model that is told
    a class, every column shows one class; of one that is told words, every row shows a text. Points are scattered,
    generated ones in red over real ones in blue.
    A caption of the model's, such as "no prior was trained", is part of the file's name and of TensorBoard's.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Count = 8, columns: Count = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns

    def start(self, trainer: Trainer) -> None:
        if trainer.resumed_from:  # the pictures are there
            return
        self._save(trainer, "real", self._draw_real(trainer))
        self.tick(trainer)

    def tick(self, trainer: Trainer) -> None:
        picture, caption = self._draw(trainer), trainer.caption
        words = "".join(f"_{word}" for word in caption.replace(",", "").split())
        self._save(trainer, f"{trainer.images:09d}{words}", picture)
        trainer.show(f"samples ({caption})" if caption else "samples", picture)
        self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        if self.done_at != trainer.images:
            self.tick(trainer)

    def _draw(self, trainer: Trainer) -> Tensor:
        if trainer.spec.height is None:
            return draw_points(trainer)
        if reads(trainer):
            return self._draw_texts(trainer)
        classes = self._classes(trainer)
        columns = self.columns if classes is None else len(classes)
        condition = None if classes is None else classes.repeat(self.rows)
        samples = trainer.draw_samples(0, self.rows * columns, condition)
        return sheet(trainer.spec.crop(to_uint8(samples)), columns)

    def _draw_real(self, trainer: Trainer) -> Tensor:
        """The first images; of each class, where the columns are classes."""
        images, labels = trainer.data.train
        if trainer.spec.height is None:
            return scatter([(images[:POINTS], REAL)], frame_of(images))
        if reads(trainer):
            return self._draw_real_texts(trainer)
        classes = self._classes(trainer)
        if classes is None:
            return sheet(trainer.spec.crop(images[: self.rows * self.columns]), self.columns)
        chosen = [first_of(images, labels == label, self.rows) for label in classes.tolist()]
        return sheet(trainer.spec.crop(torch.stack(chosen, 1).flatten(0, 1)), len(classes))

    def _draw_texts(self, trainer: Trainer) -> Tensor:
        texts = texts_of(trainer, self.rows)
        told = texts.repeat_interleave(self.columns, 0).to(trainer.device)
        samples = trainer.draw_samples(0, len(told), told)
        return captioned(sheet(trainer.spec.crop(to_uint8(samples)), self.columns), texts, trainer.spec.words)

    def _draw_real_texts(self, trainer: Trainer) -> Tensor:
        texts, (images, labels) = texts_of(trainer, self.rows), trainer.data.train
        chosen = torch.cat([first_of(images, (labels == text).all(1), self.columns) for text in texts])
        return captioned(sheet(trainer.spec.crop(chosen), self.columns), texts, trainer.spec.words)

    def _classes(self, trainer: Trainer) -> Tensor | None:
        """One a column: all if they fit on twice as many columns, else the first; None: the model is told none."""
        told = trainer.sample_conditions(0, 1)
        if told is None or told.ndim > 1:  # unconditional; attributes
            return None
        classes = trainer.spec.classes
        return torch.arange(classes if classes <= 2 * self.columns else self.columns, device=told.device)

    def _save(self, trainer: Trainer, name: str, picture: Tensor) -> None:
        write_png(picture, trainer.run_dir / "samples" / f"{name}.png")


def reads(trainer: Trainer) -> bool:
    """Is the model told words?"""
    return bool(trainer.spec.words) and trainer.model.conditional


def first_of(images: Tensor, wanted: Tensor, count: int) -> Tensor:
    """[count, C, H, W]: the first of those that are wanted, grey where there are no more."""
    found = images[wanted.nonzero()[:count, 0]]
    return torch.cat([found, found.new_full((count - len(found), *images.shape[1:]), GREY)])


def draw_points(trainer: Trainer) -> Tensor:
    real = trainer.data.train.images
    samples = trainer.draw_samples(0, POINTS) * trainer.spec.scale
    return scatter([(real[:POINTS], REAL), (samples, GENERATED)], frame_of(real))
