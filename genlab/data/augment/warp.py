"""Affine maps of images, resampled once and without aliasing."""

from __future__ import annotations

from functools import lru_cache
from math import pi, sqrt

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.data.augment.chance import happen
from genlab.data.augment.mirrored import filtered, filtering

# The low-pass filter of the orthogonal wavelet sym6 (Daubechies 1992, table 6.3).
SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
TAPS, FIRST = len(SYM6), 5  # pixel m spreads over the places 2 m - FIRST ... 2 m - FIRST + 11 of the finer grid
LATE = sum(tap * index for index, tap in enumerate(SYM6)) / sum(SYM6) - FIRST  # its middle lies at 2 m + LATE

SIZE = 0.2  # standard deviation of log2 of a size, and of a stretch
SHIFT = 0.125  # standard deviation of a shift, as a share of the side


def warp(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Scales, rotates, stretches, rotates and shifts: Karras et al. 2020 (ADA), figure 23.

    The chances of the two rotations, before and after the stretch, are such that one or both happen in `strength`.
    """
    scales, stretches, shifts = happen(draws, "geometry", 3, strength)
    turns = happen(draws, "rotation", 2, 1 - (1 - strength).sqrt())
    size, stretch, right, down = draws.normal("geometry", 4).unbind(1)
    first, second = (2 * pi * draws.uniform("rotation", 2) * torch.stack(turns, 1)).unbind(1)
    size, stretch = 2 ** (SIZE * size * scales), 2 ** (SIZE * stretch * stretches)
    squeeze = torch.stack([1 / (size * stretch), stretch / size], 1).diag_embed()
    shift = SHIFT * torch.stack([right * shifts * images.shape[3], down * shifts * images.shape[2]], 1)
    return resampled(images, rotation(-first) @ squeeze @ rotation(-second), shift)


def rotation(angle: Tensor) -> Tensor:
    """[N] -> [N, 2, 2], of (x, y)."""
    cosine, sine = angle.cos(), angle.sin()
    return torch.stack([cosine, -sine, sine, cosine], 1).view(-1, 2, 2)


def resampled(images: Tensor, back: Tensor, shift: Tensor) -> Tensor:
    """[N, C, H, W] whose pixel p is the image's value at back [N, 2, 2] (p - shift [N, 2]), from the middle, in (x, y).

    Karras et al. 2020 (ADA), appendix B.2: onto a grid twice as fine, bilinear there, and back, both by an orthogonal
    wavelet's low-pass filter: nothing changes where nothing moves. The images go on beyond their edges, mirrored
    there.
    """
    height, width = images.shape[2:]
    options = {"device": images.device, "dtype": images.dtype}
    # Places of the finer grid, from the middle; twice the pixels.
    x = torch.arange(-FIRST, 2 * width + TAPS - FIRST - 2, **options) - LATE - (width - 1) - 2 * shift[:, :1]
    y = torch.arange(-FIRST, 2 * height + TAPS - FIRST - 2, **options) - LATE - (height - 1) - 2 * shift[:, 1:]
    x, y, back = x.unsqueeze(1), y.unsqueeze(2), back.unsqueeze(3).unsqueeze(4)
    columns = back[:, 0, 0] * x + back[:, 0, 1] * y + (LATE + width - 1)
    rows = back[:, 1, 0] * x + back[:, 1, 1] * y + (LATE + height - 1)
    fine = filtered(images, upsampling(height, **options), upsampling(width, **options))
    return filtered(between(fine, rows, columns), downsampling(height, **options), downsampling(width, **options))


def between(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Bilinear, at places [N, S, T]: [N, C, S, T]. The images repeat, their last row and column being the first ones.

    By `gather`, which has gradients of any order on every device; `grid_sample` has not, and is no quicker.
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
def upsampling(side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[4 side - 3, side]: one period of the mirrored image at twice its resolution, and the first place again."""
    places = torch.arange(max(4 * side - 3, 1)).unsqueeze(1)
    pixels = (places + FIRST) // 2 - torch.arange(TAPS // 2)  # half of the taps meet a pixel, the others zeros between
    taps = torch.tensor(SYM6, dtype=torch.float64)[places + FIRST - 2 * pixels]
    return filtering(sqrt(2) * taps, pixels, side).to(dtype).to(device)


@lru_cache
def downsampling(side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[side, 2 side + TAPS - 2]: from places -FIRST ... of the finer grid to pixels."""
    matrix = torch.zeros(side, 2 * side + TAPS - 2, dtype=torch.float64)
    for pixel, row in enumerate(matrix):
        row[2 * pixel : 2 * pixel + TAPS] = torch.tensor(SYM6, dtype=torch.float64) / sqrt(2)
    return matrix.to(dtype).to(device)
