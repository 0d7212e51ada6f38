"""MS-SSIM: against scipy's convolutions, closed forms, and a value that pytorch-msssim gave."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.metrics import Coordinates, Evaluation, SampleSource
from genlab.metrics.scores.ms_ssim import MSSSIM, WEIGHTS, class_mean, ms_ssim, scale_count, ssim


def pictures(seed: int, *shape: int) -> torch.Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=source, dtype=torch.uint8)


def scored(pixels, data, *, labels=None, batch_size=7, split="train", **options):
    conditions = lambda start, count: None if labels is None else labels[start : start + count]  # noqa: E731
    source = SampleSource(lambda start, count: pixels[start : start + count] / 127.5 - 1, conditions)
    metrics = {"ms_ssim": MSSSIM(**options)}
    evaluation = Evaluation(Coordinates(), metrics, images=len(pixels), batch_size=batch_size, split=split)
    return {record.metric: record for record in evaluation.run(source, data, device="cpu")}


def by_scipy(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """SSIM, and its factor of contrast and structure, of two planes in [0, 1]."""
    line = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    window = np.outer(line, line) / line.sum() ** 2

    def mean(plane):
        return convolve2d(plane, window, mode="valid")

    covariance = mean(a * b) - mean(a) * mean(b)
    spread = mean(a * a) - mean(a) ** 2 + mean(b * b) - mean(b) ** 2
    structure = (2 * covariance + 9e-4) / (spread + 9e-4)
    luminance = (2 * mean(a) * mean(b) + 1e-4) / (mean(a) ** 2 + mean(b) ** 2 + 1e-4)
    return (luminance * structure).mean(), structure.mean()


@pytest.mark.parametrize("size", [(28, 28), (17, 40)])
def test_ssim_is_that_of_scipys_convolutions(size):
    a = pictures(0, 2, 3, *size).double() / 255
    b = 0.5 * a + 0.5 * pictures(1, 2, 3, *size).double() / 255
    found = ssim(a, b)
    for row, channel in ((0, 0), (1, 2)):
        expected = by_scipy(a[row, channel].numpy(), b[row, channel].numpy())
        assert [part[row, channel].item() for part in found] == pytest.approx(expected, abs=1e-12)


def test_two_scales_of_28_pixels_by_hand():
    a = pictures(0, 1, 1, 28, 28).double() / 255
    b = 0.7 * a + 0.3 * pictures(1, 1, 1, 28, 28).double() / 255
    halves = [image[0, 0].reshape(14, 2, 14, 2).mean((1, 3)).numpy() for image in (a, b)]
    fine, coarse = by_scipy(a[0, 0].numpy(), b[0, 0].numpy())[1], by_scipy(*halves)[0]
    share = WEIGHTS[0] / (WEIGHTS[0] + WEIGHTS[1])
    assert ms_ssim(a, b).item() == pytest.approx(fine**share * coarse ** (1 - share), rel=1e-12)


def test_flat_pictures_differ_by_their_luminance_alone():
    a, b = torch.full((1, 1, 176, 176), 0.3).double(), torch.full((1, 1, 176, 176), 0.6).double()
    luminance = (2 * 0.3 * 0.6 + 1e-4) / (0.3**2 + 0.6**2 + 1e-4)
    assert ms_ssim(a, b).item() == pytest.approx(luminance ** WEIGHTS[4], rel=1e-6)


@pytest.mark.parametrize(
    ("side", "scales"), [(11, 1), (21, 1), (22, 2), (28, 2), (64, 3), (128, 4), (176, 5), (512, 5)]
)
def test_scales_are_those_that_the_window_fits_into(side, scales):
    assert scale_count(torch.zeros(1, 1, side, side + 3)) == scales


def test_a_collapsed_generator_has_1_and_records_name_the_scales():
    data = InMemory(Split(pictures(0, 40, 1, 28, 28)))
    records = scored(pictures(1, 1, 1, 28, 28).expand(20, -1, -1, -1), data)
    assert records["ms_ssim"].value == pytest.approx(1)
    assert -0.01 < records["ms_ssim_real"].value < 0.2
    assert records["ms_ssim"].settings == "at most 5,000 pairs; 2 of 5 scales"
    assert records["ms_ssim"].extractor == "none"


def test_pairs_within_classes_count_alike():
    """Class 0 shows one image, class 1 noise, so that the mean is half way between."""
    noise = pictures(2, 30, 1, 28, 28)
    labels = (torch.arange(30) % 3 > 0).long()
    noise[labels == 0] = noise[0].clone()
    alone = class_mean(noise[labels == 1], torch.ones(20))
    assert class_mean(noise, labels) == pytest.approx((1 + alone) / 2, rel=1e-5)
    data = InMemory(Split(noise, labels))
    records = scored(noise, data, labels=labels)
    assert records["ms_ssim_class"].value == pytest.approx((1 + alone) / 2, rel=1e-5)
    assert list(records) == ["ms_ssim", "ms_ssim_real", "ms_ssim_class", "ms_ssim_class_real"]
    assert list(scored(noise, data)) == ["ms_ssim", "ms_ssim_real"]


def test_the_batch_size_changes_nothing():
    data, images = InMemory(Split(pictures(0, 20, 1, 28, 28))), pictures(1, 20, 1, 28, 28)
    first, other = (scored(images, data, batch_size=size, pairs=8)["ms_ssim"] for size in (3, 20))
    assert first == other
    assert first.value == scored(images[:16], data)["ms_ssim"].value


def test_a_diverged_generator_has_no_number():
    data = InMemory(Split(pictures(0, 20, 1, 28, 28)))
    assert math.isnan(scored(torch.full((4, 1, 28, 28), math.nan), data)["ms_ssim"].value)


def test_too_small_pictures_are_refused_before_training():
    data = InMemory(Split(pictures(0, 20, 1, 8, 8)))
    with pytest.raises(ConfigError, match="it measures images of 11 pixels a side and more, and these have 8"):
        Evaluation(Coordinates(), {"ms_ssim": MSSSIM()}, split="train").check(data)


def test_five_scales_are_those_of_pytorch_msssim():
    a = torch.linspace(0, 1, 3 * 176 * 192, dtype=torch.float64).view(1, 3, 176, 192)
    b = (a + 0.2 * torch.sin(torch.arange(a.numel()).double() / 7).view_as(a)).clamp(0, 1)
    assert ms_ssim(a, b).item() == pytest.approx(0.46756663134428483, rel=3e-5)  # whose window is float32
