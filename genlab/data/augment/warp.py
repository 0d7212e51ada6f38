"""Random affine maps of images, resampled once and without aliasing."""

from functools import lru_cache
from math import pi, sqrt
from typing import Any

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.augmentation import draw_masks
from genlab.data.augment.blits import blit_map, draw_blits
from genlab.data.augment.reflection import apply_filters, filter_matrix

# The low-pass filter of the orthogonal wavelet sym6 (Daubechies 1992, table 6.3).
SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
TAPS, OFFSET = len(SYM6), 5  # pixel m lies at place 2 m of the finer grid and spreads over 2 m - OFFSET ... + 11

LOG2_SCALE_STD = 0.2  # of log2 of a scale, and of a stretch
SHIFT_STD = 0.125  # of a shift, as a share of the side


def warp(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Scale, rotate, stretch, rotate and shift at random: Karras et al. 2020 (ADA), figure 23."""
    return resample(images, draw_warps(images, draws, strength))


def blit_and_warp(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Blit, then warp, by one map: what a blit moves out of the image, a warp may bring back."""
    blits = blit_map(draw_blits(images, draws, strength)).to(draws.dtype)
    return resample(images, join_maps(blits, draw_warps(images, draws, strength)))


def draw_warps(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Return maps [N, 2, 3] from places (x, y, 1) of warped images to places of `images`, for `resample`.

    The probability that at least one of the two rotations happens, before or after the stretch, is `strength`.
    """
    scales, stretches, shifts = draw_masks(draws, "geometry", 3, strength)
    turns = draw_masks(draws, "rotation", 2, 1 - (1 - strength).clamp(min=0).sqrt())
    size, stretch, right, down = draws.normal("geometry", 4).unbind(1)
    first, second = (2 * pi * draws.uniform("rotation", 2) * torch.stack(turns, 1)).unbind(1)
    size, stretch = 2 ** (LOG2_SCALE_STD * size * scales), 2 ** (LOG2_SCALE_STD * stretch * stretches)
    squeeze = torch.stack([1 / (size * stretch), stretch / size], 1).diag_embed()
    shift = SHIFT_STD * torch.stack([right * shifts * images.shape[3], down * shifts * images.shape[2]], 1)
    return back_map(rotation_matrix(-first) @ squeeze @ rotation_matrix(-second), shift)


def back_map(back: Tensor, shift: Tensor) -> Tensor:
    """Return maps [N, 2, 3] from places (x, y, 1), p -> `back` [N, 2, 2] (p - `shift` [N, 2])."""
    return torch.cat([back, -back @ shift.unsqueeze(2)], 2)


def join_maps(second: Tensor, first: Tensor) -> Tensor:
    """Return the maps [N, 2, 3] that apply `first`, then `second`."""
    turned = second[:, :, :2] @ first
    return torch.cat([turned[:, :, :2], turned[:, :, 2:] + second[:, :, 2:]], 2)


def rotation_matrix(angle: Tensor) -> Tensor:
    """Return rotation matrices [N, 2, 2] of (x, y) by angles [N] in radians."""
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([cosine, -sine, sine, cosine], 1).view(-1, 2, 2)


def resample(images: Tensor, back: Tensor) -> Tensor:
    """Return images [N, C, H, W] whose pixel p shows the place `back` [N, 2, 3] p of the given ones.

    Places are (x, y, 1) in pixels from the middle. Karras et al. 2020 (ADA), appendix B.2: images are upsampled by two,
    interpolated bilinearly and downsampled, both with an orthogonal wavelet's low-pass filter, which leaves images that
    do not move unchanged. It is not symmetric: as in the authors' code, an image that turns moves by up to 0.1 pixels.
    Beyond their edges images continue as their reflection, without end: the authors' code reflects as far as the
    batch's maps reach, at most once, and is 0 beyond.
    """
    height, width = images.shape[2:]
    options: dict[str, Any] = {"device": images.device, "dtype": images.dtype}
    # Places of the finer grid, from the middle, in its own units: half pixels.
    x = (torch.arange(-OFFSET, 2 * width + TAPS - OFFSET - 2, **options) - (width - 1)).view(1, 1, -1)
    y = (torch.arange(-OFFSET, 2 * height + TAPS - OFFSET - 2, **options) - (height - 1)).view(1, -1, 1)
    across, along = back.unsqueeze(3).unsqueeze(4).unbind(1)
    columns = across[:, 0] * x + across[:, 1] * y + (2 * across[:, 2] + width - 1)
    rows = along[:, 0] * x + along[:, 1] * y + (2 * along[:, 2] + height - 1)
    fine = apply_filters(images, upsampler(height, **options), upsampler(width, **options))
    return apply_filters(bilinear(fine, rows, columns), downsampler(height, **options), downsampler(width, **options))


def bilinear(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Interpolate periodic images at places [N, S, T], giving [N, C, S, T]; the last row and column equal the first.

    `gather` has gradients of any order on every device; `grid_sample` has not, and is no faster.
    """
    count, channels, height, width = images.shape
    rows, columns = rows.remainder(height - 1), columns.remainder(width - 1)
    top, left = rows.floor().clamp(max=height - 2), columns.floor().clamp(max=width - 2)
    down, right = (rows - top).unsqueeze(1), (columns - left).unsqueeze(1)
    corner = (top * width + left).long()
    corners = torch.stack([corner, corner + 1, corner + width, corner + width + 1], 1)
    found = images.flatten(2).gather(2, corners.flatten(1).unsqueeze(1).expand(-1, channels, -1))
    upper_left, upper_right, lower_left, lower_right = found.view(count, channels, *corners.shape[1:]).unbind(2)
    return torch.lerp(torch.lerp(upper_left, upper_right, right), torch.lerp(lower_left, lower_right, right), down)


@lru_cache
def upsampler(side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return a matrix [4 side - 3, side] to a period of the reflected image at twice its resolution, with both ends."""
    places = torch.arange(max(4 * side - 3, 1)).unsqueeze(1)
    pixels = (places + OFFSET) // 2 - torch.arange(TAPS // 2)  # half of the taps meet pixels, the others zeros between
    taps = torch.tensor(SYM6, dtype=torch.float64)[places + OFFSET - 2 * pixels]
    return filter_matrix(sqrt(2) * taps, pixels, side).to(dtype).to(device)


@lru_cache
def downsampler(side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the matrix [side, 2 side + TAPS - 2] from the finer grid, starting at place -OFFSET, to pixels."""
    matrix = torch.zeros(side, 2 * side + TAPS - 2, dtype=torch.float64)
    for pixel, row in enumerate(matrix):
        row[2 * pixel : 2 * pixel + TAPS] = torch.tensor(SYM6, dtype=torch.float64) / sqrt(2)
    return matrix.to(dtype).to(device)
