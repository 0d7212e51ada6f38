"""Pictures of points: each a translucent dot, so that where many lie is darker."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

SIDE = 500  # pixels
MARGIN = 0.15  # of the picture, on each side of the real points' range
INK = 0.35  # how much of the paper one dot covers
REAL, GENERATED = (120, 160, 210), (200, 50, 20)  # pale blue below, red above


def scatter(sets: list[tuple[Tensor, tuple[int, int, int]]], frame: tuple[Tensor, float]) -> Tensor:
    """uint8 [3, SIDE, SIDE], white: points [N, D] and their colour, each set drawn over those before it.

    Of more than two coordinates the first two are shown. Points outside the frame lie on its edge, for all to see.
    """
    picture = torch.full((3, SIDE, SIDE), 255.0)
    for points, colour in sets:
        paint = torch.tensor(colour, dtype=torch.float32).view(3, 1, 1)
        picture += (paint - picture) * cover(points, frame)
    return picture.round().to(torch.uint8)


def frame_of(points: Tensor) -> tuple[Tensor, float]:
    """(lower left corner [2], side) of the square that shows these points with a margin."""
    low, high = flat(points).aminmax(dim=0)
    side = max((high - low).max().item(), 1e-6) / (1 - 2 * MARGIN)
    return (low + high) / 2 - side / 2, side


def cover(points: Tensor, frame: tuple[Tensor, float]) -> Tensor:
    """[SIDE, SIDE] in [0, 1): how much of each pixel dots of 3 x 3 pixels hide. What is not finite is left out."""
    corner, side = frame
    points = flat(points)
    points = points[points.isfinite().all(1)]
    columns, rows = ((points - corner) / side * SIDE).clamp(0, SIDE - 1).long().unbind(1)
    hits = torch.bincount((SIDE - 1 - rows) * SIDE + columns, minlength=SIDE**2).view(1, SIDE, SIDE)
    return 1 - (1 - INK) ** max_pool2d(hits.float(), 3, stride=1, padding=1)[0]


def flat(points: Tensor) -> Tensor:
    """[N, 2] on the CPU: the first two coordinates, the second 0 where there is one alone."""
    points = points.detach().float().cpu()[:, :2]
    return pad(points, (0, 2 - points.shape[1]))
