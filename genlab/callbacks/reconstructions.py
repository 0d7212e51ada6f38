"""What an autoencoder makes of real images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.core.types import Count
from genlab.pictures.scatter import GENERATED, REAL, frame_of, scatter
from genlab.pictures.sheet import sheet, to_uint8, write_png
from genlab.trainers.callback import Callback
from genlab.trainers.encoder import decode, encode, encodes, first_images

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.sample_stream import SampleStream
    from genlab.trainers.trainer import Trainer

POINTS = 300  # with a line each
LINE = (200, 200, 200)
DOTS = 60  # that a line is drawn with


class Reconstructions(Callback):
    """Saves `reconstructions/<images>.png`; does nothing where the model has no encoder.

    Test images (training images where there are none), each with its reconstruction below. Points are blue, their
    reconstructions red, and a line joins the two: of principal components it is the projection's.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Count = 4, columns: Count = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns

    def tick(self, trainer: Trainer) -> None:
        if not encodes(trainer.samples) or self.done_at == trainer.images:
            return
        picture = draw_reconstructions(trainer.samples, self.rows, self.columns)
        write_png(picture, trainer.run_dir / "reconstructions" / f"{trainer.images:09d}.png")
        trainer.show("reconstructions", picture)
        self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        self.tick(trainer)


def draw_reconstructions(samples: SampleStream, rows: int, columns: int) -> Tensor:
    """uint8 [C, H, W]: `rows` of real images, each with a row of their reconstructions below; or points and lines."""
    return draw_lines(samples) if samples.spec.height is None else draw_pairs(samples, rows, columns)


def draw_pairs(samples: SampleStream, rows: int, columns: int) -> Tensor:
    split, images, condition = first_images(samples, rows * columns)
    again = to_uint8(decode(samples, encode(samples, images, condition), condition)).cpu()
    pairs = zip(split.images.split(columns), again.split(columns), strict=True)
    return sheet(samples.spec.crop(torch.cat([row for pair in pairs for row in pair])), columns)


def draw_lines(samples: SampleStream) -> Tensor:
    split, points, condition = first_images(samples, POINTS)
    again = decode(samples, encode(samples, points, condition), condition).cpu() * samples.spec.scale
    steps = torch.linspace(0, 1, DOTS).view(-1, 1, 1)
    lines = torch.lerp(split.images, again.to(split.images.dtype), steps).flatten(0, 1)
    return scatter([(lines, LINE), (split.images, REAL), (again, GENERATED)], frame_of(split.images))
