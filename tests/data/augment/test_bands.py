"""The filters of frequency bands: exact in sum, each band where it belongs."""

from math import pi

import numpy as np
import pytest
import torch

from genlab.data.augment.bands import SYM2, amplify_bands, apply_gains, band_kernels, band_matrices, power_correction

CPU = {"device": torch.device("cpu"), "dtype": torch.float64}
EXPECTED_POWER = torch.tensor([10, 1, 1, 1]).double() / 13


def response(kernel, frequency):
    """Of a symmetrical kernel around its middle."""
    places = torch.arange(len(kernel)).double() - len(kernel) // 2
    return (kernel * torch.cos(frequency * places)).sum().item()


def test_the_taps_are_those_of_daubechies_with_two_vanishing_moments():
    root = 3**0.5
    expected = torch.tensor([1 - root, 3 - root, 3 + root, 1 + root], dtype=torch.float64) / 32**0.5
    torch.testing.assert_close(torch.tensor(SYM2, dtype=torch.float64), expected)


def test_bands_sum_to_the_signal_and_have_no_phase():
    total = torch.zeros(43, dtype=torch.float64)
    total[21] = 1
    torch.testing.assert_close(band_kernels().sum(0), total)
    torch.testing.assert_close(band_kernels(), band_kernels().flip(1))
    for side in (1, 2, 8, 33):
        torch.testing.assert_close(band_matrices(side, **CPU).sum(0), torch.eye(side, dtype=torch.float64))


def test_each_band_is_products_of_the_half_band_filter():
    """|H(w)|^2 / 2 below, |H(w + pi)|^2 / 2 above, with the frequency doubled at each split."""

    def low(w):
        return abs(np.polyval(SYM2, np.exp(1j * w))) ** 2 / 2

    for w in np.linspace(0, pi, 9):
        expected = [
            low(w) * low(2 * w) * low(4 * w),
            low(w) * low(2 * w) * low(4 * w + pi),
            low(w) * low(2 * w + pi),
            low(w + pi),
        ]
        assert [response(kernel, w) for kernel in band_kernels()] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("band", "frequency"), [(0, 0.0), (1, 3 / 16 * pi), (2, 3 / 8 * pi), (3, 0.9 * pi)])
def test_a_band_holds_its_frequencies(band, frequency):
    found = [response(kernel, frequency) for kernel in band_kernels()]
    assert max(range(4), key=found.__getitem__) == band and found[band] > 0.7


def test_waves_are_amplified_by_the_response():
    """Waves that reflection continues are what the matrices' eigenvectors are."""
    side, gains = 9, torch.tensor([[2.0, 0.5, 3.0, 0.1]], dtype=torch.float64)
    for number in range(side):
        wave = torch.cos(pi * number * torch.arange(side).double() / (side - 1))
        responses = [response(kernel, pi * number / (side - 1)) for kernel in band_kernels()]
        factor = sum(gain * found for gain, found in zip(gains[0].tolist(), responses, strict=True))
        image = wave.expand(1, 1, 12, -1)
        torch.testing.assert_close(apply_gains(image, gains), 2 * factor * image)  # 2: along the constant axis
        torch.testing.assert_close(apply_gains(image.mT, gains), 2 * factor * image.mT)


@pytest.mark.parametrize("band", range(4))
def test_one_bands_gain_keeps_the_expected_power(band):
    gains = torch.ones(3, 4, dtype=torch.float64)
    gains[:, band] = torch.tensor([0.2, 1.0, 5.0])
    power = ((gains * power_correction(gains)).square() * EXPECTED_POWER).sum(1)
    torch.testing.assert_close(power, torch.ones_like(power))


def test_gains_follow_one_another_as_in_the_paper(make_draws, monkeypatch, near):
    """Figure 23: t = 1 but for one band, normalised, times the gains before."""
    seen, count = [], 4000
    monkeypatch.setattr("genlab.data.augment.bands.apply_gains", lambda images, gains: seen.append(gains))
    amplify_bands(torch.zeros(count, 1, 8, 8), make_draws(count), torch.tensor(0.5))
    happens, normal = make_draws(count).uniform("filter/happens", 4) < 0.5, make_draws(count).normal("filter", 4)
    expected = torch.ones(count, 4, dtype=torch.float64)
    for band in range(4):
        t = torch.ones(count, 4, dtype=torch.float64)
        t[:, band] = torch.where(happens[:, band], torch.exp(np.log(2) * normal[:, band]), 1.0)
        expected *= t / (t.square() * EXPECTED_POWER).sum(1, keepdim=True).sqrt()
    torch.testing.assert_close(seen[0], expected)
    assert near((seen[0] - 1).abs().amax(1) < 1e-9, 0.5**4)
