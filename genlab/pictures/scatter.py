"""Pictures of points: each a translucent dot, so that the picture is darker where many lie."""

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

SIDE = 500  # pixels of a picture
MARGIN = 0.15  # share of the picture on each side of the real points' range
DOT_OPACITY = 0.35  # share of the paper that one dot hides
REAL, GENERATED = (120, 160, 210), (200, 50, 20)  # RGB: pale blue, drawn first, and red


def scatter(sets: list[tuple[Tensor, tuple[int, int, int]]], frame: tuple[Tensor, float]) -> Tensor:
    """Draw sets of points [N, D] in their colours, later sets over earlier ones; uint8 [3, SIDE, SIDE] on white.

    Only the first two coordinates are drawn. Points outside the frame appear on its edge.
    """
    picture = torch.full((3, SIDE, SIDE), 255.0)
    for points, colour in sets:
        paint = torch.tensor(colour, dtype=torch.float32).view(3, 1, 1)
        picture += (paint - picture) * dot_coverage(points, frame)
    return picture.round().to(torch.uint8)


def frame_of(points: Tensor) -> tuple[Tensor, float]:
    """Return (lower left corner [2], side) of the square that holds these points and a margin."""
    low, high = first_two_coordinates(points).aminmax(dim=0)
    side = max((high - low).max().item(), 1e-6) / (1 - 2 * MARGIN)
    return (low + high) / 2 - side / 2, side


def dot_coverage(points: Tensor, frame: tuple[Tensor, float]) -> Tensor:
    """Return the share of each pixel that dots of 3 x 3 pixels hide, [SIDE, SIDE] in [0, 1); not of infinite points."""
    corner, side = frame
    points = first_two_coordinates(points)
    points = points[points.isfinite().all(1)]
    columns, rows = ((points - corner) / side * SIDE).clamp(0, SIDE - 1).long().unbind(1)
    hits = torch.bincount((SIDE - 1 - rows) * SIDE + columns, minlength=SIDE**2).view(1, SIDE, SIDE)
    return 1 - (1 - DOT_OPACITY) ** max_pool2d(hits.float(), 3, stride=1, padding=1)[0]


def first_two_coordinates(points: Tensor) -> Tensor:
    """Return [N, 2] on the CPU, the second coordinate 0 where points have only one."""
    points = points.detach().float().cpu()[:, :2]
    return pad(points, (0, 2 - points.shape[1]))
