"""Changes that move whole pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.chance import happen
from genlab.data.augment.mirrored import reflected

REACH = 0.125  # longest shift, as a share of the side


def blit(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Mirrors, turns by multiples of 90 degrees and shifts: pixel blitting in Karras et al. 2020 (ADA), figure 23."""
    mirrors, turns, shifts = happen(draws, "blit", 3, strength)
    mirror, turn, right, down = draws.uniform("blit", 4).unbind(1)
    height, width = images.shape[2:]
    return moved(
        images,
        mirrors & (mirror < 0.5),
        turns * (4 * turn).long(),
        shifts * pixels(right, width),
        shifts * pixels(down, height),
    )


def pixels(chance: Tensor, side: int) -> Tensor:
    """Shifts of whole pixels [N], an eighth of the side at most."""
    return ((2 * chance - 1) * REACH * side).round().long()


def moved(images: Tensor, mirror: Tensor, turns: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """[N, C, H, W] mirrored left to right, then turned by so many times 90 degrees, then shifted; all [N].

    The images go on beyond their edges, mirrored there.
    """
    height, width = images.shape[2:]
    # Where pixels come from, in half pixels from the middle: whole numbers for odd and even sides.
    x = (places(width, images) - 2 * right.view(-1, 1)).unsqueeze(1)
    y = (places(height, images) - 2 * down.view(-1, 1)).unsqueeze(2)
    turns, flip = turns.view(-1, 1, 1), (1 - 2 * mirror.long()).view(-1, 1, 1)
    cosine, sine = (1 - turns) * (1 - turns % 2), (2 - turns) * (turns % 2)
    columns = reflected((flip * (cosine * x + sine * y) + width - 1) // 2, width)
    rows = reflected((cosine * y - sine * x + height - 1) // 2, height)
    index = (rows * width + columns).flatten(1).unsqueeze(1).expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, index).view(images.shape)


def places(side: int, images: Tensor) -> Tensor:
    return 2 * torch.arange(side, device=images.device) - (side - 1)
