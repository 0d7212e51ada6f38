"""Random amplification of an image's frequency bands."""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

from genlab.core.random import Draws
from genlab.data.augment.augmentation import draw_masks
from genlab.data.augment.reflection import apply_filters, filter_matrix

# The low-pass filter of the orthogonal wavelet sym2 (Daubechies 1992, table 6.1).
SYM2 = (-0.1294095225512603, 0.2241438680420134, 0.8365163037378077, 0.4829629131445341)
BANDS = 4
BAND_POWERS = 10 / 13, 1 / 13  # expected share of the lowest band and of each other one: 1 / f
LOG2_GAIN_STD = 1.0  # standard deviation of log2 of a band's gain


def amplify_bands(images: Tensor, draws: Draws, strength: Tensor) -> Tensor:
    """Amplify four frequency bands, each by its own random gain: Karras et al. 2020 (ADA), figure 23.

    The bands end at pi / 8, pi / 4, pi / 2 and pi, along both axes. Each band's gain is followed by a gain of all
    bands that keeps the expected power.
    """
    happens = torch.stack(draw_masks(draws, "filter", BANDS, strength), 1)
    gains = 2 ** (LOG2_GAIN_STD * draws.normal("filter", BANDS) * happens)
    return apply_gains(images, gains * power_correction(gains))


def power_correction(gains: Tensor) -> Tensor:
    """Return the gain [N, 1] of all bands that keeps the expected power under the gains [N, 4] of single bands."""
    more = gains.square() - 1
    lowest, others = 1 + BAND_POWERS[0] * more[:, :1], 1 + BAND_POWERS[1] * more[:, 1:]
    return torch.cat([lowest, others], 1).prod(1, keepdim=True).rsqrt()


def apply_gains(images: Tensor, gains: Tensor) -> Tensor:
    """Return images [N, C, H, W] whose bands, low to high, are multiplied by `gains` [N, 4] along both axes."""
    rows, columns = (
        torch.einsum("nb,bij->nij", gains, band_matrices(side, images.device, images.dtype)).unsqueeze(1)
        for side in images.shape[2:]
    )
    return apply_filters(images, rows, columns)


@lru_cache
def band_matrices(side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return matrices [4, side, side] that extract each band of a mirrored signal. They sum to the identity."""
    taps = band_kernels()
    reach = taps.shape[1] // 2
    places = torch.arange(side).unsqueeze(1) + torch.arange(-reach, reach + 1)
    return filter_matrix(taps.unsqueeze(1).expand(-1, side, -1), places, side).to(dtype).to(device)


def band_kernels() -> Tensor:
    """Return symmetrical kernels [4, 43]: P(z) = H(z) H(1 / z) / 2 and P(-z) = 1 - P(z) split each low band in two."""
    taps = torch.tensor(SYM2, dtype=torch.float64)
    half = convolve(taps, taps.flip(0)) / 2
    other = half * torch.tensor([-1.0, 1.0]).repeat(4)[: len(half)]  # P(-z)
    bands, low = [], torch.ones(1, dtype=torch.float64)
    for level in range(BANDS - 1):
        bands.append(convolve(low, insert_zeros(other, 2**level)))
        low = convolve(low, insert_zeros(half, 2**level))
    bands.append(low)
    return torch.stack([pad(band, [(len(low) - len(band)) // 2] * 2) for band in reversed(bands)])


def convolve(one: Tensor, other: Tensor) -> Tensor:
    reach = len(other) - 1
    return conv1d(one.view(1, 1, -1), other.flip(0).view(1, 1, -1), padding=reach).flatten()


def insert_zeros(taps: Tensor, factor: int) -> Tensor:
    """Return the taps with `factor` - 1 zeros between them."""
    wide = taps.new_zeros((len(taps) - 1) * factor + 1)
    wide[::factor] = taps
    return wide
