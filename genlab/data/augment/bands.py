"""Frequencies of images, louder and softer."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

from genlab.core.random import Draws
from genlab.data.augment.chance import happen
from genlab.data.augment.mirrored import filtered, filtering

# The low-pass filter of the orthogonal wavelet sym2 (Daubechies 1992, table 6.1).
SYM2 = (-0.1294095225512603, 0.2241438680420134, 0.8365163037378077, 0.4829629131445341)
BANDS = 4
POWER = 10 / 13, 1 / 13  # expected in the lowest band and in each of the others: 1 / f
GAIN = 1.0  # standard deviation of log2 of a band's gain


def equalise(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Amplifies four bands of frequencies, each by its own number: Karras et al. 2020 (ADA), figure 23.

    Below pi / 8, from there to pi / 4, to pi / 2 and to pi, along both axes. A gain of one band is followed by one
    of all that keeps the expected power.
    """
    happens = torch.stack(happen(draws, "filter", BANDS, strength), 1)
    gains = 2 ** (GAIN * draws.normal("filter", BANDS) * happens)
    return amplified(images, gains * kept(gains))


def kept(gains: Tensor) -> Tensor:
    """[N, 1]: what keeps the power, the product of what each of the gains [N, 4] asks for by itself."""
    more = gains.square() - 1
    lowest, others = 1 + POWER[0] * more[:, :1], 1 + POWER[1] * more[:, 1:]
    return torch.cat([lowest, others], 1).prod(1, keepdim=True).rsqrt()


def amplified(images: Tensor, gains: Tensor) -> Tensor:
    """[N, C, H, W] with bands, low to high, `gains` [N, 4] times as strong along either axis."""
    rows, columns = (
        torch.einsum("nb,bij->nij", gains, bank(side, images.device, images.dtype)).unsqueeze(1)
        for side in images.shape[2:]
    )
    return filtered(images, rows, columns)


@lru_cache
def bank(side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[4, side, side]: each band of a mirrored signal. Their sum is the identity."""
    taps = kernels()
    reach = taps.shape[1] // 2
    places = torch.arange(side).unsqueeze(1) + torch.arange(-reach, reach + 1)
    return filtering(taps.unsqueeze(1).expand(-1, side, -1), places, side).to(dtype).to(device)


def kernels() -> Tensor:
    """[4, 43], symmetrical: with P(z) = H(z) H(1 / z) / 2, P(z) + P(-z) = 1 splits each low band in two again."""
    taps = torch.tensor(SYM2, dtype=torch.float64)
    half = convolved(taps, taps.flip(0)) / 2
    other = half * torch.tensor([-1.0, 1.0]).repeat(4)[: len(half)]  # P(-z)
    bands, low = [], torch.ones(1, dtype=torch.float64)
    for level in range(BANDS - 1):
        bands.append(convolved(low, spread(other, 2**level)))
        low = convolved(low, spread(half, 2**level))
    bands.append(low)
    return torch.stack([pad(band, [(len(low) - len(band)) // 2] * 2) for band in reversed(bands)])


def convolved(one: Tensor, other: Tensor) -> Tensor:
    reach = len(other) - 1
    return conv1d(one.view(1, 1, -1), other.flip(0).view(1, 1, -1), padding=reach).flatten()


def spread(taps: Tensor, factor: int) -> Tensor:
    """With zeros between."""
    wide = taps.new_zeros((len(taps) - 1) * factor + 1)
    wide[::factor] = taps
    return wide
