"""Nonlinearities that respect a band limit, and the low-pass filters that they need: Karras et al. 2021 (StyleGAN3).

A map stands for a continuous signal. A nonlinearity adds frequencies that its samples cannot hold and that come back
as aliases, tied to the grid; so it works on more samples, and what lies above the limit is removed before they are
dropped. Rates and frequencies are counted over the side of the picture: n samples hold up to n / 2 cycles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core.types import Count, Positive
from genlab.models.layers.upfirdn import upfirdn2d


@dataclass(frozen=True)
class Band:
    """Sampled signals, and which of their frequencies a filter lets through."""

    rate: int  # samples over the side of the picture
    size: int  # samples over the side of the map, which may reach beyond the picture
    cutoff: float  # half of the amplitude is left there
    half_width: float  # of the transition from everything to nothing, around the cutoff


class FilteredLeakyReLU(nn.Module):
    """[N, C, S, S] of one band -> [N, C, S', S'] of another: ibid., section 3.2, "filtered nonlinearities".

    Both maps have the picture's centre in their middle; outside of the first one there are zeros.
    """

    def __init__(
        self,
        before: Band,
        after: Band,
        *,
        taps: Count = 6,  # samples of the lower rate that a filter reaches over
        magnification: Count = 2,  # samples for the nonlinearity, times those of the finer map
        radial: bool = False,  # the second filter is the same in all directions
        slope: float = 0.2,
        gain: float = 2**0.5,  # of the result
        clamp: Positive | None = None,  # on its size: Karras et al. 2020 (ADA), appendix D, for 16 bit
    ) -> None:
        super().__init__()
        rate = max(before.rate, after.rate) * magnification
        self.up, self.down = rate // before.rate, rate // after.rate
        self.slope, self.gain, self.clamp = slope, gain, clamp
        # Not saved: they follow from the arguments.
        self.register_buffer("raising", low_pass(taps * self.up, before, rate), persistent=False)
        self.register_buffer("lowering", low_pass(taps * self.down, after, rate, radial=radial), persistent=False)
        self.padding = self.around(before.size, after.size)

    def around(self, size: int, wanted: int) -> tuple[int, int, int, int]:
        """Zeros at each edge, so that `wanted` samples are left, centred as they were."""
        reach = len(self.raising) + len(self.lowering) - 2
        needed = (wanted - 1) * self.down + 1 + reach - size * self.up
        first = (needed + self.up - 1) // 2  # after its last sample, a map has zeros of its own
        return (first, needed - first) * 2

    def forward(self, maps: Tensor) -> Tensor:
        maps = upfirdn2d(maps, self.raising, up=self.up, padding=self.padding, gain=self.up**2)
        maps = leaky_relu(maps, self.slope)
        if self.clamp is not None:
            maps = maps.clamp(-self.clamp / self.gain, self.clamp / self.gain)
        return upfirdn2d(maps, self.lowering, down=self.down, gain=self.gain)


def low_pass(taps: int, band: Band, rate: int, *, radial: bool = False) -> Tensor:
    """[taps], for both axes, or radial [taps, taps], to be used at that rate; sum 1: ibid., appendix C.

    A windowed sinc, Kaiser's window following from taps and transition; radial: a jinc (equation 12).
    """
    from scipy import signal  # slow to load

    if not radial:
        kernel = signal.firwin(taps, band.cutoff, width=2 * band.half_width, fs=rate)
        return torch.tensor(kernel, dtype=torch.float32)
    attenuation = signal.kaiser_atten(taps, 2 * band.half_width / (rate / 2))
    window = signal.windows.kaiser(taps, signal.kaiser_beta(attenuation))
    place = (np.arange(taps) - (taps - 1) / 2) / rate
    kernel = jinc(2 * band.cutoff * np.hypot(place[:, None], place)) * np.outer(window, window)
    return torch.tensor(kernel / kernel.sum(), dtype=torch.float32)


def jinc(radius: np.ndarray) -> np.ndarray:
    """2 J1(pi r) / (pi r), which is 1 at 0."""
    from scipy.special import j1

    argument = np.maximum(np.pi * radius, 1e-9)
    return 2 * j1(argument) / argument
