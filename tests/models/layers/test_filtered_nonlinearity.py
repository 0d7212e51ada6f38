"""Filters against their definitions and frequency responses; the nonlinearity against a plain reference."""

import math

import numpy as np
import pytest
import torch
from scipy import signal
from scipy.special import j1
from torch.nn.functional import leaky_relu

from genlab.models.layers.filtered_nonlinearity import Band, FilteredLeakyReLU, low_pass

WIDE = Band(rate=16, size=36, cutoff=2.0, half_width=6.0)  # the first layer's: critical nowhere
SHARP = Band(rate=16, size=16, cutoff=8.0, half_width=8 * (2**0.3 - 1))  # the last one's


def response(kernel, frequencies, rate):
    """Of a filter of one dimension."""
    place = (np.arange(len(kernel)) - (len(kernel) - 1) / 2) / rate
    return np.array([(kernel.double().numpy() * np.cos(2 * np.pi * f * place)).sum() for f in frequencies])


@pytest.mark.parametrize("band", [WIDE, SHARP, Band(32, 52, 5.0, 11.0)])
@pytest.mark.parametrize("up", [2, 4])
def test_a_filter_passes_what_is_below_its_band_and_stops_what_is_above(band, up):
    """To within 6 dB of what Kaiser's formula promises: Karras et al. 2021, equation 7. Half is left at the cutoff."""
    rate = band.rate * up
    kernel = low_pass(6 * up, band, rate)
    ripple = 10 ** (-signal.kaiser_atten(len(kernel), 2 * band.half_width / (rate / 2)) / 20)
    stopped = np.linspace(band.cutoff + band.half_width, rate / 2, 50)
    assert abs(response(kernel, stopped, rate)).max() < 2 * ripple + 1e-6
    passed = np.linspace(0, max(band.cutoff - band.half_width, 0), 50)
    assert abs(response(kernel, passed, rate) - 1).max() < 2 * ripple + 1e-6
    assert kernel.sum().item() == pytest.approx(1)
    torch.testing.assert_close(kernel, kernel.flip(0))
    if band.half_width < band.cutoff:
        assert response(kernel, [band.cutoff], rate)[0] == pytest.approx(0.5, abs=0.04)


def test_a_radial_filter_is_the_windowed_jinc():
    """Ibid., equation 12."""
    kernel = low_pass(12, WIDE, 32, radial=True)
    place = (np.arange(12) - 5.5) / 32
    radius = 2 * WIDE.cutoff * np.sqrt(place[:, None] ** 2 + place[None] ** 2)
    window = np.kaiser(12, signal.kaiser_beta(signal.kaiser_atten(12, 2 * WIDE.half_width / 16)))
    wanted = 2 * j1(np.pi * radius) / (np.pi * radius) * window[:, None] * window
    torch.testing.assert_close(kernel, torch.tensor(wanted / wanted.sum(), dtype=torch.float32))
    assert low_pass(5, WIDE, 32, radial=True).isfinite().all()  # the middle of an odd one is at 0


def test_a_radial_filter_is_the_same_in_all_directions():
    """Where a separable one is not: half-way down, seen along an axis and along a diagonal."""
    band = Band(16, 36, 5.0, 3.0)

    def along(kernel, angle):
        place = (torch.arange(len(kernel), dtype=torch.float64) - (len(kernel) - 1) / 2) / 32
        across = place[:, None] * math.sin(angle) + place * math.cos(angle)
        return (kernel * (2 * math.pi * 5.0 * across).cos()).sum().item()

    radial, line = low_pass(12, band, 32, radial=True).double(), low_pass(12, band, 32).double()
    separable = torch.outer(line, line)
    assert along(radial, 0) == pytest.approx(along(radial, math.pi / 4), abs=0.04)
    assert abs(along(separable, 0) - along(separable, math.pi / 4)) > 0.1


def dense(before, after, layer):
    """The two filters as matrices for one axis, from their definition: a kernel for every sample, at its place."""
    rate = max(before.rate, after.rate) * 2
    count = (after.size - 1) * layer.down + len(layer.lowering)
    up = torch.zeros(count, before.size, dtype=torch.float64)
    down = torch.zeros(after.size, count, dtype=torch.float64)
    fine = (torch.arange(count) - (count - 1) / 2) / rate  # places from the centre
    for matrix, places, kernel, gain in (
        (up, centred(before), layer.raising, layer.up),
        (down.T, centred(after), layer.lowering, 1),
    ):
        for column, place in enumerate(places):
            taps = ((fine - place) * rate + (len(kernel) - 1) / 2).round().long()
            inside = (taps >= 0) & (taps < len(kernel))
            matrix[inside, column] = kernel.double()[taps[inside]] * gain
    return up, down


def centred(band):
    return (torch.arange(band.size) - (band.size - 1) / 2) / band.rate


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Band(16, 38, 2.0, 6.0), Band(16, 36, 3.0, 5.0)),
        (Band(16, 38, 4.0, 4.0), Band(32, 52, 5.0, 11.0)),
        (Band(32, 54, 16.0, 4.0), Band(32, 32, 16.0, 4.0)),
    ],
    ids=["same rate", "twice the rate", "without a margin"],
)
def test_equals_its_definition(before, after):
    layer = FilteredLeakyReLU(before, after, clamp=1.0).double()
    up, down = dense(before, after, layer)
    maps = torch.randn(2, 3, before.size, before.size, dtype=torch.float64)
    finer = (leaky_relu(up @ maps @ up.T, 0.2) * 2**0.5).clamp(-1, 1)
    torch.testing.assert_close(layer(maps), down @ finer @ down.T)


def waves(band, shift=(0.0, 0.0), angle=0.0, cycles=2.0):
    """Some waves of at most so many cycles, moved and then turned about the centre; [1, 1, S, S]."""
    source = torch.Generator().manual_seed(3)
    rows, columns = torch.meshgrid(centred(band), centred(band), indexing="ij")
    right = math.cos(angle) * columns - math.sin(angle) * rows - shift[0]
    down = math.sin(angle) * columns + math.cos(angle) * rows - shift[1]
    total = torch.zeros(band.size, band.size, dtype=torch.float64)
    for _ in range(8):
        radius, turn, phase = torch.rand(3, generator=source, dtype=torch.float64)
        f = cycles * radius.sqrt()
        total += (2 * math.pi * (f * (turn * 2 * math.pi).cos() * right + f * (turn * 7).sin() * down + phase)).sin()
    return total[None, None]


def spectrum_above(maps, cutoff, rate):
    """Share of the energy above a frequency, the middle taken with a window, so that edges add nothing."""
    window = torch.from_numpy(np.outer(*[signal.windows.blackmanharris(maps.shape[-1])] * 2))
    power = torch.fft.fft2(maps[0, 0] * window).abs().square()
    lines = torch.fft.fftfreq(maps.shape[-1], 1 / rate).abs()
    high = torch.maximum(lines[:, None], lines[None]) > cutoff
    return (power[high].sum() / power.sum()).item()


INPUT, OUTPUT = Band(16, 72, 2.0, 6.0), Band(16, 64, 2.0, 6.0)


def test_the_output_is_limited_to_its_band():
    """A bare nonlinearity leaves energy near the Nyquist frequency, the source of aliases."""
    maps = waves(INPUT)
    layer = FilteredLeakyReLU(INPUT, OUTPUT).double()
    limited, bare = (spectrum_above(out, 7.0, 16) for out in (layer(maps), leaky_relu(maps, 0.2)))
    assert limited < 1e-7 < 1e-4 < bare


def error(one, other):
    inner = (..., slice(20, -20), slice(20, -20))
    return ((one - other)[inner].square().mean() / other[inner].var()).item()


def test_the_output_follows_translations_by_parts_of_a_sample():
    layer = FilteredLeakyReLU(INPUT, OUTPUT).double()
    shift = (0.3 / 16, -0.45 / 16)
    maps, moved = layer(waves(INPUT)), layer(waves(INPUT, shift))
    there = phase_shifted(maps, shift, OUTPUT)
    assert error(moved, there) < 1e-5
    bare = [leaky_relu(waves(INPUT, by), 0.2) for by in ((0.0, 0.0), shift)]
    assert error(bare[1], phase_shifted(bare[0], shift, INPUT)) > 1e-4


def phase_shifted(maps, shift, band):
    """By its Fourier series, faded out at the edges."""
    window = torch.from_numpy(np.outer(*[signal.windows.tukey(band.size, 0.5)] * 2))
    lines = torch.fft.fftfreq(band.size, 1 / band.rate, dtype=torch.float64)
    phase = torch.exp(-2j * math.pi * (lines * shift[0] + lines[:, None] * shift[1]))
    return torch.fft.ifft2(torch.fft.fft2(maps * window) * phase).real


@pytest.mark.parametrize(("radial", "least", "most"), [(True, 0.0, 1e-5), (False, 1e-4, 1.0)])
def test_a_radial_filter_follows_rotations(radial, least, most):
    """What lies in the centre stays the same while the input turns about it."""
    before, after = Band(16, 72, 6.0, 2.0), Band(16, 65, 4.0, 4.0)
    layer = FilteredLeakyReLU(before, after, radial=radial).double()
    angles = [index * math.pi / 16 for index in range(8)]
    centre = torch.stack([layer(waves(before, angle=angle, cycles=4.0))[0, 0, 32, 32] for angle in angles])
    spread = (centre.var() / layer(waves(before, cycles=4.0)).var()).item()
    assert least <= spread < most


def test_it_is_differentiable_twice():
    layer = FilteredLeakyReLU(Band(4, 6, 1.0, 1.0), Band(4, 4, 1.0, 1.0)).double()
    maps = torch.randn(1, 1, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, maps) and torch.autograd.gradgradcheck(layer, maps)
