"""Stacked MNIST: three real digits a picture, a label that says which, and a draw that depends on the seed alone."""

import pytest
import torch

from genlab.core.errors import ConfigError
from genlab.data import MNIST
from genlab.data.sets.stacked_mnist import StackedMNIST

FEW = 2_000


@pytest.fixture(scope="module")
def digits() -> MNIST:
    return MNIST()


@pytest.fixture(scope="module")
def stacked() -> StackedMNIST:
    return StackedMNIST(images=FEW)


def test_images_and_labels_have_the_promised_shapes(stacked):
    assert stacked.spec.shape == (3, 28, 28) and stacked.spec.class_count == 1_000
    assert stacked.spec.images == FEW and len(stacked.test.images) == 26_000
    assert stacked.train.labels.dtype == torch.int64 and stacked.name == "stacked_mnist" and not stacked.flip


@pytest.mark.parametrize("split", ["train", "test"])
def test_each_colour_is_the_digit_that_the_label_says(stacked, digits, split):
    """Every channel is found among MNIST's digits of its own split and class."""
    source, found = getattr(digits, split), getattr(stacked, split)
    known = dict(zip(map(bytes, source.images.numpy()), source.labels.tolist(), strict=True))
    for image, label in zip(found.images[:300], found.labels[:300], strict=True):
        red, green, blue = (known[bytes(channel.numpy())] for channel in image)
        assert 100 * red + 10 * green + blue == label


def test_all_modes_are_there_about_equally_often(stacked, digits):
    counts = stacked.test.labels.bincount(minlength=1_000)  # 26 expected each
    assert counts.min() > 0 and len(counts) == 1_000
    share = digits.test.labels.bincount().double() / 10_000
    expected = 26_000 * (share[:, None, None] * share[:, None] * share).flatten()
    statistic = ((counts - expected) ** 2 / expected).sum()  # chi-square, 999 degrees of freedom: 999 +- 45
    assert 999 - 4 * 45 < statistic < 999 + 4 * 45


def test_another_seed_draws_other_digits(stacked):
    other = StackedMNIST(images=FEW, seed=1)
    assert not torch.equal(other.train.labels, stacked.train.labels) and other.fingerprint != stacked.fingerprint


def test_sizes_are_those_of_mnist(stacked):
    padded = StackedMNIST(images=FEW, size=32)
    assert padded.spec.shape == (3, 32, 32) and padded.spec.padding == 2
    assert torch.equal(padded.spec.crop(padded.train.images), stacked.train.images)


def test_limit_and_holdout(stacked):
    data = StackedMNIST(images=FEW, limit=100, holdout=50)
    assert torch.equal(data.train.images, stacked.train.images[:100])
    assert torch.equal(data.holdout.images, stacked.train.images[-50:])
    assert data.spec.class_count == 1_000 and data.fingerprint != stacked.fingerprint
    assert data.test.fingerprint() == stacked.test.fingerprint()  # drawn again, and the same


def test_a_limit_that_holdout_does_not_leave():
    with pytest.raises(ConfigError, match=r"1950 of the 2000 training images of stacked_mnist"):
        StackedMNIST(images=FEW, limit=1_951, holdout=50)
