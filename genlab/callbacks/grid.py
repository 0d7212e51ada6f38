"""Sample grids: what the generator makes of the same noise, over training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from genlab.callbacks.base import Callback
from genlab.types import Count

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer

GAP = 2  # pixels between pictures
GREY = 128  # its colour: seen on black digits and on white paper
READABLE = 500  # pixels: narrower grids are enlarged


class Grid(Callback):
    """Saves `samples/<images>.png` in the run directory, at the start, every so many images and at the end.

    `samples/real.png` shows the first real images, for comparison. Pictures with 1, 3 or 4 channels are drawn as
    grey, RGB and RGBA; with any other number, their channels are drawn in grey, side by side.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Count = 8, columns: Count = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns
        self._drawn_at: int | None = None

    def start(self, trainer: Trainer) -> None:
        if trainer.resumed_from:  # the pictures are there
            return
        real = trainer.data.train.images[: self.rows * self.columns]
        self._save(trainer, "real", real)
        self.tick(trainer)

    def tick(self, trainer: Trainer) -> None:
        samples = to_uint8(trainer.draw_samples(0, self.rows * self.columns))
        picture = self._save(trainer, f"{trainer.images:09d}", samples)
        trainer.show("samples", picture)
        self._drawn_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        if self._drawn_at != trainer.images:
            self.tick(trainer)

    def _save(self, trainer: Trainer, name: str, images: Tensor) -> Tensor:
        images = drawable(trainer.spec.crop(images).cpu())
        factor = -(-READABLE // (self.columns * images.shape[-1]))
        picture = tile(enlarge(images, factor), self.columns)
        write_png(picture, trainer.run_dir / "samples" / f"{name}.png")
        return picture


def to_uint8(images: Tensor) -> Tensor:
    """[-1, 1] -> 0 ... 255; the inverse of how training reads pixels. Values outside saturate."""
    return ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def drawable(images: Tensor) -> Tensor:
    """[N, C, H, W] with channels laid side by side where an image file has no such number of them."""
    if images.shape[1] in (1, 3, 4):
        return images
    return images.permute(0, 2, 1, 3).flatten(2).unsqueeze(1)


def enlarge(images: Tensor, factor: int) -> Tensor:
    """Each pixel `factor` times as wide and high."""
    return images.repeat_interleave(factor, -1).repeat_interleave(factor, -2)


def tile(images: Tensor, columns: int) -> Tensor:
    """uint8 [N, C, H, W] -> [C, rows * (H + GAP) - GAP, columns * (W + GAP) - GAP], row by row; missing ones grey."""
    number, channels, height, width = images.shape
    rows, height, width = -(-number // columns), height + GAP, width + GAP
    cells = images.new_full((rows * columns, channels, height, width), GREY)
    cells[:number, :, :-GAP, :-GAP] = images
    sheet = cells.view(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return sheet.reshape(channels, rows * height, columns * width)[:, :-GAP, :-GAP]


def write_png(picture: Tensor, path: Path) -> None:
    """uint8 [1, 3 or 4, H, W]."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(path)
