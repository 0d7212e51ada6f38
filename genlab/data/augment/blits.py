"""Flips, quarter turns and whole-pixel shifts of images (pixel blitting)."""

from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.augmentation import draw_masks
from genlab.data.augment.reflection import reflect_indices

MAX_SHIFT = 0.125  # longest shift, as a share of the side


class Blits(NamedTuple):
    """Moves of each image in whole pixels, applied in this order; whole numbers [N]."""

    mirror: Tensor  # 1: left to right
    turns: Tensor  # by 90 degrees
    right: Tensor  # pixels
    down: Tensor  # pixels


def blit(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Mirror, turn by multiples of 90 degrees and shift at random: Karras et al. 2020 (ADA), figure 23.

    Pixels are copied. The authors' code resamples them as `warp` does, and its filter, which is not symmetric, softens
    mirrored and turned images.
    """
    return mirror_turn_shift(images, draw_blits(images, draws, strength))


def draw_blits(images: Tensor, draws: Draws, strength: Tensor) -> Blits:
    mirrors, turns, shifts = draw_masks(draws, "blit", 3, strength)
    mirror, turn, right, down = draws.uniform("blit", 4).unbind(1)
    height, width = images.shape[2:]
    return Blits(
        (mirrors & (mirror < 0.5)).long(),
        turns * (4 * turn).long(),
        shifts * whole_shifts(right, width),
        shifts * whole_shifts(down, height),
    )


def whole_shifts(chance: Tensor, side: int) -> Tensor:
    """Return shifts [N] in whole pixels, at most an eighth of the side; `chance` [N] is uniform in [0, 1)."""
    return ((2 * chance - 1) * MAX_SHIFT * side).round().long()


def mirror_turn_shift(images: Tensor, blits: Blits) -> Tensor:
    """Mirror, turn and shift images [N, C, H, W]. Beyond their edges images continue as their reflection."""
    height, width = images.shape[2:]
    # The places that pixels come from, in half pixels from the middle: whole numbers for odd and even sides.
    x = (centred_places(width, images) - 2 * blits.right.view(-1, 1)).unsqueeze(1)
    y = (centred_places(height, images) - 2 * blits.down.view(-1, 1)).unsqueeze(2)
    flip, cosine, sine = (number.view(-1, 1, 1) for number in turn_and_flip(blits))
    columns = reflect_indices((flip * (cosine * x + sine * y) + width - 1) // 2, width)
    rows = reflect_indices((cosine * y - sine * x + height - 1) // 2, height)
    index = (rows * width + columns).flatten(1).unsqueeze(1).expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, index).view(images.shape)


def blit_map(blits: Blits) -> Tensor:
    """Return integer maps [N, 2, 3] from places (x, y, 1), in pixels from the middle, to the places they come from."""
    flip, cosine, sine = turn_and_flip(blits)
    across = torch.stack([flip * cosine, flip * sine, -flip * (cosine * blits.right + sine * blits.down)], 1)
    along = torch.stack([-sine, cosine, sine * blits.right - cosine * blits.down], 1)
    return torch.stack([across, along], 1)


def turn_and_flip(blits: Blits) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mirror's factor on x, and the turn's cosine and sine: -1, 0 or 1 each, [N]."""
    turns = blits.turns
    return 1 - 2 * blits.mirror, (1 - turns) * (1 - turns % 2), (2 - turns) * (turns % 2)


def centred_places(side: int, images: Tensor) -> Tensor:
    """Return the pixels' places [side], in half pixels from the middle."""
    return 2 * torch.arange(side, device=images.device) - (side - 1)
