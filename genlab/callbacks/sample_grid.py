"""Grids of samples from the same noise, over training."""

from typing import NamedTuple

import torch
from torch import Tensor

from genlab.callbacks.once_per_position import OncePerPosition, save_picture
from genlab.core.base_condition import Condition
from genlab.core.pixels import to_uint8
from genlab.core.types import Count
from genlab.pictures.scatter import GENERATED, REAL, frame_of, scatter
from genlab.pictures.sheet import GREY, caption_columns, caption_rows, sheet, write_png
from genlab.trainers.trainer import Trainer

MAX_POINTS = 2_500  # of each kind


class GridLabels(NamedTuple):
    """Labels, each of which a row or a column of the grid shows."""

    condition: Condition
    labels: Tensor  # [lines, ...]

    @property
    def are_rows(self) -> bool:
        return self.condition.grid_lines == "rows"

    def cell_labels(self, rows: int, columns: int) -> Tensor:
        """Return the label of each cell, row by row."""
        return self.labels.repeat_interleave(columns, 0) if self.are_rows else torch.cat([self.labels] * rows)

    def arrange(self, images: Tensor, columns: int) -> Tensor:
        """Return the picture of all cells, the captions of rows to their left, the names of classes above columns."""
        captions = [self.condition.caption(label) for label in self.labels]
        if self.are_rows:
            return caption_rows(sheet(images, columns), captions)
        picture = sheet(images, len(self.labels))
        return caption_columns(picture, captions) if self.condition.class_names else picture


class Grid(OncePerPosition):
    """Saves `samples/<images>.png` in the run directory, at the start, every so many images and at the end.

    `samples/real.png` shows the first real images, for comparison. Pictures with 1, 3 or 4 channels are drawn as
    grey, RGB and RGBA; with any other number, their channels are drawn in grey, side by side. For a model conditioned
    on classes every column shows one class, with its name above if it has one; for one conditioned on words every row
    shows a text. Points are scattered, generated ones in red over real ones in blue.
    A caption of the model's, such as "no prior was trained", is part of the file's name and of TensorBoard's.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Count = 8, columns: Count = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns

    def start(self, trainer: Trainer) -> None:
        if not trainer.resumed_from:  # else the pictures exist
            write_png(self._draw_real(trainer), trainer.run_dir / "samples" / "real.png")
            self.tick(trainer)

    def work(self, trainer: Trainer) -> None:
        caption = trainer.samples.caption
        words = "".join(f"_{word}" for word in caption.replace(",", "").split())
        title = f"samples ({caption})" if caption else "samples"
        save_picture(trainer, self._draw(trainer), f"samples/{trainer.images:09d}{words}.png", title)

    def _draw(self, trainer: Trainer) -> Tensor:
        if trainer.spec.height is None:
            return draw_points(trainer)
        lines = self._grid_labels(trainer)
        if lines is None:
            samples = trainer.samples.draw_samples(0, self.rows * self.columns, None)
            return sheet(trainer.spec.crop(to_uint8(samples)), self.columns)
        labels = lines.cell_labels(self.rows, self.columns)
        conditions = lines.condition.as_input(labels, trainer.samples.dtype).to(trainer.device)
        samples = trainer.samples.draw_samples(0, len(labels), conditions)
        return lines.arrange(trainer.spec.crop(to_uint8(samples)), self.columns)

    def _draw_real(self, trainer: Trainer) -> Tensor:
        """Draw the first images, of each label if lines show labels."""
        images, labels = trainer.data.train
        if trainer.spec.height is None:
            return scatter([(images[:MAX_POINTS], REAL)], frame_of(images))
        lines = self._grid_labels(trainer)
        if lines is None:
            return sheet(trainer.spec.crop(images[: self.rows * self.columns]), self.columns)
        count = self.columns if lines.are_rows else self.rows
        chosen = torch.stack([take_first(images, equal_rows(labels, label), count) for label in lines.labels])
        chosen = chosen if lines.are_rows else chosen.transpose(0, 1)
        return lines.arrange(trainer.spec.crop(chosen.flatten(0, 1)), self.columns)

    def _grid_labels(self, trainer: Trainer) -> GridLabels | None:
        """Return the labels that lines show: all if they fit on twice as many, else the first; None: none do."""
        condition = trainer.spec.condition if trainer.model.conditional else None
        if condition is None or condition.grid_lines is None:
            return None
        most = self.rows if condition.grid_lines == "rows" else self.columns
        labels = condition.samples_of(trainer.data.train.labels, 2 * most + 1)
        return GridLabels(condition, labels if len(labels) <= 2 * most else labels[:most])


def equal_rows(labels: Tensor, label: Tensor) -> Tensor:
    """Return bool [N]: which of labels [N, ...] equal one of them."""
    return (labels == label).view(len(labels), -1).all(1)


def take_first(images: Tensor, mask: Tensor, count: int) -> Tensor:
    """Return the first `count` images that a mask [N] selects, filled up with grey ones: [count, C, H, W]."""
    selected = images[mask.nonzero()[:count, 0]]
    return torch.cat([selected, selected.new_full((count - len(selected), *images.shape[1:]), GREY)])


def draw_points(trainer: Trainer) -> Tensor:
    real = trainer.data.train.images
    samples = trainer.samples.draw_samples(0, MAX_POINTS) * trainer.spec.scale
    return scatter([(real[:MAX_POINTS], REAL), (samples, GENERATED)], frame_of(real))
