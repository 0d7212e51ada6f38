"""Stacked MNIST: three digits as the colours of one picture, with 1,000 modes that can be counted."""

import hashlib

import torch
from torch import Tensor

from genlab.core.condition import Classes
from genlab.core.random import generator
from genlab.core.types import Amount, Count, Side, Whole
from genlab.data.sets.mnist import MNIST, SHA256
from genlab.data.storage.cache import Table
from genlab.data.storage.cached_set import CachedSet
from genlab.data.tasks import TaskChoice

TEST_IMAGES = 26_000  # samples that Lin et al. 2018 (PacGAN, in their code) count modes in
PLACE_VALUES = (100, 10, 1)  # of the red, green and blue digit in the label


class StackedMNIST(CachedSet):
    """Bundled MNIST digits as red, green and blue, uint8 [N, 3, size, size]; labels 0 ... 999, red the hundreds.

    From Metz et al. 2017 (unrolled GAN), section 3.3.1. Digits are drawn with replacement, as a function of `seed`
    alone; training and test images take theirs from MNIST's own splits. `size` is MNIST's: 30 and 32 pad.

    Raises ConfigError if `limit` or `holdout` leave too few images.
    """

    def __init__(
        self,
        *,
        images: Amount = 128_000,  # to train on; as many as Lin et al. 2018 (PacGAN, in their code) take
        size: Side | None = None,  # pixels a side; null: 28
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        seed: Whole = 0,  # of the digits that are drawn
        task: TaskChoice | None = None,  # makes a source of every image
    ) -> None:
        digits = MNIST(size=size)
        options = {
            "condition": Classes(1_000),
            "padding": digits.padding,
            "limit": limit,
            "holdout": holdout,
            "task": task,
        }
        super().__init__(stack_digits(digits, images, seed), name="stacked_mnist", **options)


def stack_digits(digits: MNIST, images: int, seed: int) -> Table:
    """Return a table of `images` training rows followed by the test rows."""
    pixels = torch.cat([digits.train.images, digits.test.images])
    classes = torch.cat([digits.train.labels, digits.test.labels])
    first = len(digits.train.images)
    test_rows = first + draw_indices(len(digits.test.images), TEST_IMAGES, seed, "test")
    rows = torch.cat([draw_indices(first, images, seed, "train"), test_rows])
    key = hashlib.sha256(f"{SHA256} {digits.spec.shape} {digits.padding} {images}".encode())
    key.update(rows.numpy())
    return Table(
        key=key.hexdigest(),
        images=pixels.index_select(0, rows.flatten()).view(len(rows), 3, *pixels.shape[2:]),
        labels=classes[rows] @ torch.tensor(PLACE_VALUES),
        facts={"splits": {"train": images, "test": TEST_IMAGES}},
    )


def draw_indices(digits: int, count: int, seed: int, name: str) -> Tensor:
    """Draw indices [count, 3] below `digits`."""
    return torch.randint(digits, (count, 3), generator=generator(seed, "stacked_mnist", name))
