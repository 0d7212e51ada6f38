"""Sliced Wasserstein distance: pyramids as scipy makes them, 1-D distances as scipy measures them."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.stats import wasserstein_distance

from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.data.sets.points import Ring
from genlab.metrics import Coordinates, Evaluation, SampleSource
from genlab.metrics.scores.swd import (
    SlicedWasserstein,
    cut_patches,
    laplacian_pyramid,
    level_sides,
    sliced_wasserstein,
    standardise,
)

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def pictures(seed: int, count: int = 40, channels: int = 1, size: int = 32) -> torch.Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, size, size), generator=source, dtype=torch.uint8)


def scored(pixels, data, *, batch_size=16, count=40, seed=0, **options):
    evaluation = Evaluation(Coordinates(), {"swd": SlicedWasserstein(**options)}, images=count, batch_size=batch_size)
    source = SampleSource(lambda start, number: pixels[start : start + number] / 127.5 - 1, seed=seed)
    return evaluation.run(source, data, device="cpu")


@pytest.fixture
def data() -> InMemory:
    return InMemory(Split(pictures(0)), test=Split(pictures(1)))


@pytest.mark.parametrize("size", [(32, 32), (28, 20), (35, 42)])
def test_a_pyramid_is_scipys(size):
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    top, bottom = laplacian_pyramid(image, 2)
    small = ndimage.convolve(image.numpy(), KERNEL[None, None], mode="mirror")[:, :, ::2, ::2]
    wide = np.zeros(image.shape)
    wide[:, :, ::2, ::2] = small
    difference = image.numpy() - ndimage.convolve(wide, 4 * KERNEL[None, None], mode="mirror")
    np.testing.assert_allclose(bottom, small, atol=1e-7)
    np.testing.assert_allclose(top, difference, atol=1e-7)


def test_the_distance_is_the_mean_of_scipys_over_directions():
    source = torch.Generator().manual_seed(0)
    a, b, directions = (torch.randn(*shape, generator=source).double() for shape in ((90, 5), (90, 5), (20, 5)))
    b = 2 * b + 1
    units = directions / directions.norm(dim=1, keepdim=True)
    expected = np.mean([wasserstein_distance(a @ unit, b @ unit) for unit in units])
    assert sliced_wasserstein(a, b, directions) == pytest.approx(expected, rel=1e-9)


def test_a_shift_is_felt_by_its_share_of_each_direction():
    """Rows moved by v are |<v, direction>| away, whatever they are."""
    rows = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    found = sliced_wasserstein(rows, rows + torch.tensor([3.0, 0]), torch.tensor([[2.0, 0], [0, 5], [1, 1]]))
    assert found == pytest.approx((3 + 0 + 3 / 2**0.5) / 3, rel=1e-5)


def test_patches_are_cut_where_they_are_drawn():
    image = torch.arange(2 * 2 * 16 * 18.0).view(2, 2, 16, 18)
    corners = torch.tensor([[[0.0, 0.0], [0.999, 0.999]], [[0.5, 0.25], [0.0, 0.999]]])
    found = cut_patches(image, corners).view(2, 2, 2, 7, 7)
    for number, patch in product(range(2), range(2)):
        top, left = (corners[number, patch] * torch.tensor([10, 12])).long()
        assert torch.equal(found[number, patch], image[number, :, top : top + 7, left : left + 7])


def test_channels_are_standardised_apart_and_constant_ones_are_zero():
    patches = torch.randn(30, 3, 49, generator=torch.Generator().manual_seed(0)) * torch.tensor([[[9.0], [1], [0]]]) + 4
    found = standardise(patches).view(30, 3, 49)
    torch.testing.assert_close(found.mean((0, 2)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std((0, 2), correction=0), torch.tensor([1.0, 1, 0]))


@pytest.mark.parametrize(("side", "expected"), [(28, [28]), (32, [32, 16]), (128, [128, 64, 32, 16]), (31, [31, 16])])
def test_levels_end_at_16_pixels(side, expected):
    assert level_sides(side) == expected


def test_other_pictures_are_farther_than_others_of_the_same_kind(data):
    smooth = torch.arange(32).view(1, 1, 1, 32).expand(40, 1, 32, 32) * 8
    near, far = (scored(images, data)[0].value for images in (pictures(2), smooth))
    assert 10 * near < far


def test_records_say_what_was_measured_and_name_no_network(data):
    records = scored(pictures(2), data, images=30)
    assert [record.metric for record in records] == ["swd", "swd_32", "swd_16"]
    assert records[0].value == pytest.approx((records[1].value + records[2].value) / 2)
    assert records[0].extractor == "none" and records[0].extractor_hash == ""
    assert "30 images of each kind; levels of 32, 16 pixels" in records[0].settings


def test_a_score_is_the_seeds_alone(data):
    first, other, again = (scored(pictures(2), data, batch_size=size, seed=0) for size in (7, 40, 16))
    assert first == other == again
    assert scored(pictures(2), data, seed=1)[0].value != first[0].value


def test_diverged_generators_and_collapsed_ones(data):
    assert all(math.isnan(record.value) for record in scored(torch.full((40, 1, 32, 32), math.nan), data))
    assert scored(torch.zeros(40, 1, 32, 32), data)[0].value > 100


def test_images_without_a_level_are_refused_before_training():
    small = InMemory(Split(pictures(0, size=12)))
    with pytest.raises(
        ConfigError, match=r"metrics\.swd: it measures images of 16 pixels a side and more, and these have 12"
    ):
        Evaluation(Coordinates(), {"swd": SlicedWasserstein()}, split="train").check(small)
    with pytest.raises(ConfigError, match="the data are points"):
        Evaluation(Coordinates(), {"swd": SlicedWasserstein()}).check(Ring(points=10, test_points=10))


def test_padding_does_not_count(data):
    framed = InMemory(Split(torch.nn.functional.pad(data.test.images, [3] * 4)), padding=3)
    scores = SlicedWasserstein()
    evaluation = Evaluation(Coordinates(), {"swd": scores}, images=40, split="train")
    source = SampleSource(
        lambda start, count: torch.nn.functional.pad(pictures(2) / 127.5 - 1, [3] * 4)[start : start + count]
    )
    assert evaluation.run(source, framed, device="cpu")[0].value == scored(pictures(2), data)[0].value
