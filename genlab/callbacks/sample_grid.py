"""Sample grids: what the generator makes of the same noise, over training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from genlab.callbacks.captions import captioned
from genlab.core.pixels import to_uint8
from genlab.core.types import Count
from genlab.pictures.scatter import GENERATED, REAL, frame_of, scatter
from genlab.pictures.sheet import GREY, sheet, write_png
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.core.condition import Condition
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
        picture, caption = self._draw(trainer), trainer.samples.caption
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
        lines = self._lines(trainer)
        if lines is None:
            samples = trainer.samples.draw_samples(0, self.rows * self.columns, None)
            return sheet(trainer.spec.crop(to_uint8(samples)), self.columns)
        told = lines.labels_of_places(self.rows, self.columns)
        dtype, device = trainer.samples.dtype, trainer.device
        samples = trainer.samples.draw_samples(0, len(told), lines.condition.as_input(told, dtype).to(device))
        return lines.arrange(trainer.spec.crop(to_uint8(samples)), self.columns)

    def _draw_real(self, trainer: Trainer) -> Tensor:
        """The first images; of each label, where lines show labels."""
        images, labels = trainer.data.train
        if trainer.spec.height is None:
            return scatter([(images[:POINTS], REAL)], frame_of(images))
        lines = self._lines(trainer)
        if lines is None:
            return sheet(trainer.spec.crop(images[: self.rows * self.columns]), self.columns)
        count = self.columns if lines.are_rows else self.rows
        chosen = torch.stack([first_of(images, equal_rows(labels, label), count) for label in lines.labels])
        chosen = chosen if lines.are_rows else chosen.transpose(0, 1)
        return lines.arrange(trainer.spec.crop(chosen.flatten(0, 1)), self.columns)

    def _lines(self, trainer: Trainer) -> Lines | None:
        """Return the labels that lines show: all if they fit on twice as many, else the first; None: none do."""
        condition = trainer.spec.condition if trainer.model.conditional else None
        if condition is None or condition.grid_lines is None:
            return None
        most = self.rows if condition.grid_lines == "rows" else self.columns
        found = condition.samples_of(trainer.data.train.labels, 2 * most + 1)
        return Lines(condition, found if len(found) <= 2 * most else found[:most])

    def _save(self, trainer: Trainer, name: str, picture: Tensor) -> None:
        write_png(picture, trainer.run_dir / "samples" / f"{name}.png")


class Lines(NamedTuple):
    """Labels, each of which a row or a column of the grid shows."""

    condition: Condition
    labels: Tensor  # [lines, ...]

    @property
    def are_rows(self) -> bool:
        return self.condition.grid_lines == "rows"

    def labels_of_places(self, rows: int, columns: int) -> Tensor:
        """Return the label of each place, row by row."""
        return self.labels.repeat_interleave(columns, 0) if self.are_rows else torch.cat([self.labels] * rows)

    def arrange(self, images: Tensor, columns: int) -> Tensor:
        """Return the picture of all places, the captions of rows to their left."""
        if not self.are_rows:
            return sheet(images, len(self.labels))
        return captioned(sheet(images, columns), [self.condition.caption(label) for label in self.labels])


def equal_rows(labels: Tensor, label: Tensor) -> Tensor:
    """Return bool [N]: which of labels [N, ...] equal one of them."""
    return (labels == label).view(len(labels), -1).all(1)


def first_of(images: Tensor, wanted: Tensor, count: int) -> Tensor:
    """[count, C, H, W]: the first of those that are wanted, grey where there are no more."""
    found = images[wanted.nonzero()[:count, 0]]
    return torch.cat([found, found.new_full((count - len(found), *images.shape[1:]), GREY)])


def draw_points(trainer: Trainer) -> Tensor:
    real = trainer.data.train.images
    samples = trainer.samples.draw_samples(0, POINTS) * trainer.spec.scale
    return scatter([(real[:POINTS], REAL), (samples, GENERATED)], frame_of(real))
