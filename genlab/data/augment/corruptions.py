"""Random noise and cutout."""

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.augmentation import draw_masks

NOISE_STD_SCALE = 0.1  # of the half-normal standard deviation; images are in [-1, 1]
HOLE_SIDE = 0.5  # side of a hole, as a share of the image's


def add_noise(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Add white noise of a strength drawn for each image: Karras et al. 2020 (ADA), figure 23."""
    (happens,) = draw_masks(draws, "noise", 1, strength)
    deviation = NOISE_STD_SCALE * draws.normal("noise_level", 1).squeeze(1).abs() * happens
    return images + deviation.view(-1, 1, 1, 1) * draws.normal("noise", *images.shape[1:])


def cut_hole(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Set a rectangle centred anywhere to 0, the middle of [-1, 1]: Karras et al. 2020 (ADA), figure 23."""
    (happens,) = draw_masks(draws, "cutout", 1, strength)
    row, column = draws.uniform("cutout", 2).unbind(1)
    height, width = images.shape[2:]
    hole = centred_hole(row, height).unsqueeze(2) & centred_hole(column, width).unsqueeze(1) & happens.view(-1, 1, 1)
    return images * ~hole.unsqueeze(1)


def centred_hole(middle: Tensor, side: int) -> Tensor:
    """Return a mask [N, side] of the pixels whose middle lies in a hole around `middle` [N], a share of the side."""
    places = (torch.arange(side, device=middle.device) + 0.5) / side
    return (places - middle.view(-1, 1)).abs() < HOLE_SIDE / 2
