"""Pictures of images that belong together: pairs, or a sample and its neighbours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.pictures.sheet import GREY, READABLE, drawable, enlarge, tile

ABREAST = 8  # images a row
APART = 6  # pixels around a group, whose images stand closer together


def draw_groups(images: Tensor) -> Tensor:
    """uint8 [G, n, C, H, W] -> a picture [1, 3 or 4, h, w] of G groups of n images, row by row."""
    columns = max(1, ABREAST // images.shape[1])
    strips = torch.stack([strip(group, columns) for group in images.cpu()])
    return tile(pad(strips, [APART] * 4, value=GREY), columns)


def strip(group: Tensor, columns: int) -> Tensor:
    """One group, so large that as many of them beside each other can be looked at."""
    group = drawable(group)
    factor = -(-READABLE // (columns * len(group) * group.shape[-1]))
    return tile(enlarge(group, factor), len(group))
