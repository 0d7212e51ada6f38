"""What becomes of pictures that a model translates."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import interpolate

from genlab.core.pixels import to_uint8
from genlab.core.types import Count
from genlab.pictures.sheet import sheet, write_png
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.core.spec import Spec
    from genlab.trainers.trainer import Trainer

GOLDEN = 0.618034  # of a turn between the hues of neighbouring classes: no two of many are alike


class Translations(Callback):
    """Saves `translations/<images>.png`; does nothing where the model translates no pictures.

    Of the test split where there is one: a row of inputs, below it their outputs, then the targets where there are
    partners, and whatever else the trainer shows. Label maps are drawn in colours, none in black.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Count = 3, columns: Count = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns

    def tick(self, trainer: Trainer) -> None:
        if not trainer.samples.translates or self.done_at == trainer.images:
            return
        picture = draw_translations(trainer, self.rows, self.columns)
        write_png(picture, trainer.run_dir / "translations" / f"{trainer.images:09d}.png")
        trainer.show("translations", picture)
        self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        self.tick(trainer)


def draw_translations(trainer: Trainer, rows: int, columns: int) -> Tensor:
    """uint8 [1 or 3, H, W]."""
    count = min(rows * columns, len(trainer.data.examples.images))
    kinds = [as_picture(images, trainer.spec) for images in trainer.samples.translations(0, count).values()]
    channels = max(images.shape[1] for images in kinds)
    lines = zip(*(images.expand(-1, channels, -1, -1).split(columns) for images in kinds), strict=True)
    return sheet(torch.cat([filled(line, columns) for block in lines for line in block]), columns)


def as_picture(images: Tensor, spec: Spec) -> Tensor:
    """What networks see -> uint8 [N, 1 or 3, H, W] of the images' size, without padding."""
    images, classes = images.float().cpu(), spec.require_source().classes
    if classes and images.shape[1] == classes != spec.channels:
        images = coloured(images)
    if images.shape[1] not in (1, 3):
        images = images.mean(1, keepdim=True)
    if images.shape[2:] != spec.shape[1:]:
        images = interpolate(images, size=spec.shape[1:])
    return spec.crop(to_uint8(images))


def coloured(maps: Tensor) -> Tensor:
    """One-hot [N, K, H, W] -> [N, 3, H, W] in [-1, 1]."""
    colours = [colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.8, 1.0) for number in range(maps.shape[1])]
    return torch.einsum("nkhw,kc->nchw", maps, torch.tensor(colours)) * 2 - 1


def filled(line: Tensor, columns: int) -> Tensor:
    """A line that ends early, with grey."""
    return torch.cat([line, line.new_full((columns - len(line), *line.shape[1:]), 128)])
