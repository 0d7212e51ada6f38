"""Pictures of real images or points with their reconstructions by an autoencoder."""

import torch
from torch import Tensor

from genlab.core.pixels import to_uint8
from genlab.core.spec import Spec
from genlab.pictures.scatter import GENERATED, REAL, frame_of, scatter
from genlab.pictures.sheet import sheet

MAX_POINTS = 300
LINE_COLOUR = (200, 200, 200)  # RGB
DOTS_PER_LINE = 60


def shown_count(spec: Spec, rows: int, columns: int) -> int:
    """Return the number of images, or of points, that a picture shows."""
    return MAX_POINTS if spec.height is None else rows * columns


def draw_reconstructions(real: Tensor, again: Tensor, spec: Spec, columns: int) -> Tensor:
    """Draw rows of stored images and below each its reconstructions in [-1, 1], or points joined to theirs by lines.

    Returns uint8 [C, H, W].
    """
    if spec.height is None:
        return draw_lines(real, again * spec.scale)
    pairs = zip(real.split(columns), to_uint8(again).split(columns), strict=True)
    return sheet(spec.crop(torch.cat([row for pair in pairs for row in pair])), columns)


def draw_lines(real: Tensor, again: Tensor) -> Tensor:
    """Draw points [N, D] in the data's own units, and a line from each to its reconstruction."""
    steps = torch.linspace(0, 1, DOTS_PER_LINE).view(-1, 1, 1)
    lines = torch.lerp(real, again.to(real.dtype), steps).flatten(0, 1)
    return scatter([(lines, LINE_COLOUR), (real, REAL), (again, GENERATED)], frame_of(real))
