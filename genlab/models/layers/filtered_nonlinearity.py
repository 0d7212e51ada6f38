"""Band-limited nonlinearities and the low-pass filters that they need: Karras et al. 2021 (StyleGAN3).

A map stands for a continuous signal. A nonlinearity adds frequencies that the samples cannot represent and that would
alias, tied to the pixel grid. So it is applied at a higher sampling rate, and frequencies above the limit are removed
before downsampling. Rates and frequencies are per side of the picture: n samples represent up to n / 2 cycles.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core.types import Count, Positive
from genlab.models.layers.upfirdn import upfirdn2d


@dataclass(frozen=True)
class Band:
    """The sampling of maps, and the frequencies that their filter passes."""

    rate: int  # samples over the side of the picture
    size: int  # samples over the side of the map, which may reach beyond the picture
    cutoff: float  # frequency at which the amplitude is halved
    half_width: float  # of the transition around the cutoff from all to none of the amplitude


class FilteredLeakyReLU(nn.Module):
    """[N, C, S, S] of one band -> [N, C, S', S'] of another: ibid., section 3.2, "filtered nonlinearities".

    Both maps are centred on the picture; outside of the first one there are zeros.
    """

    def __init__(
        self,
        before: Band,
        after: Band,
        *,
        taps: Count = 6,  # length of the filters, in samples of the lower rate
        magnification: Count = 2,  # sampling rate of the nonlinearity over that of the finer map
        radial: bool = False,  # the second filter is radially symmetric
        slope: float = 0.2,
        gain: float = 2**0.5,  # of the result
        clamp: Positive | None = None,  # bound on magnitudes, for 16-bit floats: Karras et al. 2020 (ADA), appendix D
    ) -> None:
        super().__init__()
        rate = max(before.rate, after.rate) * magnification
        self.up, self.down = rate // before.rate, rate // after.rate
        self.slope, self.gain, self.clamp = slope, gain, clamp
        # Filters follow from the arguments and are not saved.
        self.register_buffer("raising", low_pass(taps * self.up, before, rate), persistent=False)
        self.register_buffer("lowering", low_pass(taps * self.down, after, rate, radial=radial), persistent=False)
        self.padding = self.edge_padding(before.size, after.size)

    def edge_padding(self, size: int, wanted: int) -> tuple[int, int, int, int]:
        """Return the zeros to add at each edge, so that `wanted` samples remain, centred as before."""
        reach = len(self.raising) + len(self.lowering) - 2
        needed = (wanted - 1) * self.down + 1 + reach - size * self.up
        first = (needed + self.up - 1) // 2  # upsampling appends zeros to a map's last sample
        return (first, needed - first) * 2

    def forward(self, maps: Tensor) -> Tensor:
        maps = upfirdn2d(maps, self.raising, up=self.up, padding=self.padding, gain=self.up**2)
        maps = leaky_relu(maps, self.slope)
        if self.clamp is not None:
            maps = maps.clamp(-self.clamp / self.gain, self.clamp / self.gain)
        return upfirdn2d(maps, self.lowering, down=self.down, gain=self.gain)


def low_pass(taps: int, band: Band, rate: int, *, radial: bool = False) -> Tensor:
    """Return a low-pass filter of sum 1 for a sampling rate, [taps] or, if radial, [taps, taps]: appendix C.

    It is a sinc, or a jinc (equation 12) if radial, with the Kaiser window that taps and transition imply.
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
    """Return 2 J1(pi r) / (pi r), which is 1 at 0."""
    from scipy.special import j1

    argument = np.maximum(np.pi * radius, 1e-9)
    return 2 * j1(argument) / argument
