"""Noise and holes."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.chance import happen

NOISE = 0.1  # scale of the standard deviation, which is half-normal; images are in [-1, 1]
HOLE = 0.5  # side of a hole, as a share of the image's


def add_noise(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """White noise of a strength drawn for each image: Karras et al. 2020 (ADA), figure 23."""
    (happens,) = happen(draws, "noise", 1, strength)
    deviation = NOISE * draws.normal("noise_level", 1).squeeze(1).abs() * happens
    return images + deviation.view(-1, 1, 1, 1) * draws.normal("noise", *images.shape[1:])


def cut_hole(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Zeros, the middle of [-1, 1], in a rectangle with its middle anywhere: Karras et al. 2020 (ADA), figure 23."""
    (happens,) = happen(draws, "cutout", 1, strength)
    row, column = draws.uniform("cutout", 2).unbind(1)
    height, width = images.shape[2:]
    hole = inside(row, height).unsqueeze(2) & inside(column, width).unsqueeze(1) & happens.view(-1, 1, 1)
    return images * ~hole.unsqueeze(1)


def inside(middle: Tensor, side: int) -> Tensor:
    """[N, side]: which pixels have their middle in a hole around `middle` [N], a share of the side."""
    places = (torch.arange(side, device=middle.device) + 0.5) / side
    return (places - middle.view(-1, 1)).abs() < HOLE / 2
