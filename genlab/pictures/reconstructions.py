"""Real images or points beside what an autoencoder makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.core.pixels import to_uint8
from genlab.pictures.scatter import GENERATED, REAL, frame_of, scatter
from genlab.pictures.sheet import sheet

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.core.spec import Spec

POINTS = 300  # with a line each
LINE = (200, 200, 200)
DOTS = 60  # that a line is drawn with


def how_many(spec: Spec, rows: int, columns: int) -> int:
    """Number of images, or of points, that a picture shows."""
    return POINTS if spec.height is None else rows * columns


def draw_reconstructions(real: Tensor, again: Tensor, spec: Spec, columns: int) -> Tensor:
    """uint8 [C, H, W]: rows of stored images, below each their reconstructions in [-1, 1]; or points and lines."""
    if spec.height is None:
        return draw_lines(real, again * spec.scale)
    pairs = zip(real.split(columns), to_uint8(again).split(columns), strict=True)
    return sheet(spec.crop(torch.cat([row for pair in pairs for row in pair])), columns)


def draw_lines(real: Tensor, again: Tensor) -> Tensor:
    """Points [N, D] in the data's own units, and a line from each to its reconstruction."""
    steps = torch.linspace(0, 1, DOTS).view(-1, 1, 1)
    lines = torch.lerp(real, again.to(real.dtype), steps).flatten(0, 1)
    return scatter([(lines, LINE), (real, REAL), (again, GENERATED)], frame_of(real))
