"""Flips, quarter turns and whole-pixel shifts of images (pixel blitting)."""

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.augmentation import draw_masks
from genlab.data.augment.reflection import reflect_indices

MAX_SHIFT = 0.125  # longest shift, as a share of the side


def blit(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Mirror, turn by multiples of 90 degrees and shift at random: Karras et al. 2020 (ADA), figure 23."""
    mirrors, turns, shifts = draw_masks(draws, "blit", 3, strength)
    mirror, turn, right, down = draws.uniform("blit", 4).unbind(1)
    height, width = images.shape[2:]
    return mirror_turn_shift(
        images,
        mirrors & (mirror < 0.5),
        turns * (4 * turn).long(),
        shifts * whole_shifts(right, width),
        shifts * whole_shifts(down, height),
    )


def whole_shifts(chance: Tensor, side: int) -> Tensor:
    """Return shifts [N] in whole pixels, at most an eighth of the side; `chance` [N] is uniform in [0, 1)."""
    return ((2 * chance - 1) * MAX_SHIFT * side).round().long()


def mirror_turn_shift(images: Tensor, mirror: Tensor, turns: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Mirror images [N, C, H, W] left to right, turn them by 90 degrees `turns` times, then shift them; all [N].

    Beyond their edges images continue as their reflection.
    """
    height, width = images.shape[2:]
    # The places that pixels come from, in half pixels from the middle: whole numbers for odd and even sides.
    x = (centred_places(width, images) - 2 * right.view(-1, 1)).unsqueeze(1)
    y = (centred_places(height, images) - 2 * down.view(-1, 1)).unsqueeze(2)
    turns, flip = turns.view(-1, 1, 1), (1 - 2 * mirror.long()).view(-1, 1, 1)
    cosine, sine = (1 - turns) * (1 - turns % 2), (2 - turns) * (turns % 2)
    columns = reflect_indices((flip * (cosine * x + sine * y) + width - 1) // 2, width)
    rows = reflect_indices((cosine * y - sine * x + height - 1) // 2, height)
    index = (rows * width + columns).flatten(1).unsqueeze(1).expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, index).view(images.shape)


def centred_places(side: int, images: Tensor) -> Tensor:
    """Return the pixels' places [side], in half pixels from the middle."""
    return 2 * torch.arange(side, device=images.device) - (side - 1)
