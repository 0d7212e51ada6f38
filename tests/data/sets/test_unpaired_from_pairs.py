"""Pairs taken apart: no picture's partner is left, and what there is to measure with."""

import pytest
import torch

from genlab.build import instantiate as build
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.data import InMemory, Split
from genlab.data.sets.unpaired_from_pairs import UnpairedFromPairs
from tests.conftest import composed, pictured, tiny_data


def numbered(count=10, **facts):
    """Image i is all i, its source all 100 + i."""
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 8, 8).clone()
    return InMemory(Split(images, images[:, :1] + 100), test=Split(images[:4] + 50, images[:4, :1] + 150), **facts)


def names(images):
    return images[:, 0, 0, 0].tolist()


def test_it_holds_images_of_one_half_and_sources_of_the_other():
    data = UnpairedFromPairs(numbered())
    assert names(data.train.images) == [5, 6, 7, 8, 9] and names(data.other.train.images) == [100, 101, 102, 103, 104]
    assert data.train.labels is None and data.other.train.labels is None
    assert data.spec.condition == Picture(1, 8, 8) and data.spec.shape == (3, 8, 8)


def test_the_test_split_stays_whole_and_aligned():
    data = UnpairedFromPairs(numbered())
    assert names(data.test.images) == [50, 51, 52, 53] and names(data.other.test.images) == [150, 151, 152, 153]
    assert data.aligned
    again = ((data.conditions(data.test, 2, 4) + 1) * 127.5).round().byte()
    assert names(again) == [152, 153, 150, 151]
    assert not UnpairedFromPairs(tiny_data(task="edges")).aligned  # nothing to test with


@pytest.mark.parametrize("task", ["edges", "inpainting", "rotation"])
def test_sources_that_a_task_makes_are_those_that_pairs_have(task):
    pairs = tiny_data(3, task=task)
    data = UnpairedFromPairs(pairs)
    expected = pairs.conditions(pairs.pool, 0, 32)
    torch.testing.assert_close(data.other.train.images.float() / 127.5 - 1, expected, atol=1e-6, rtol=0)
    assert torch.equal(data.train.images, pairs.train.images[32:])
    assert torch.equal(data.train.labels, pairs.train.labels[32:])  # classes, for scores


def test_options_go_on_to_both():
    data = UnpairedFromPairs(pictured(size=12, crop=8, flip=True))
    assert data.pool.images.shape[2:] == (12, 12) and data.other.pool.images.shape[2:] == (12, 12)
    assert data.spec.shape == data.other.spec.shape == (1, 8, 8)
    assert data.flip and data.other.flip and data.crop == data.other.crop == 8
    assert data.test.images.shape == data.other.test.images.shape == (16, 1, 8, 8)


def test_either_half_is_in_the_fingerprint():
    pairs = numbered()
    before = UnpairedFromPairs(pairs).fingerprint
    assert UnpairedFromPairs(numbered()).fingerprint == before
    pairs.pool.labels[2] += 1  # a source that is used
    assert UnpairedFromPairs(pairs).fingerprint != before


@pytest.mark.parametrize(
    "data", [tiny_data(), pictured(source_classes=256), UnpairedFromPairs(numbered())], ids=["images", "maps", "halves"]
)
def test_data_that_are_no_pairs_are_refused(data):
    with pytest.raises(ConfigError, match=r"data\.of: expected pairs .* data\.of\.task=edges"):
        UnpairedFromPairs(data)


def test_one_pair_is_too_few():
    with pytest.raises(ConfigError, match="one pair cannot be taken apart"):
        UnpairedFromPairs(numbered(1))


def test_the_bundled_set_is_mnist_at_32_and_other_sets_can_take_its_place():
    config = composed("data=mnist_unpaired", "data.of.limit=100")
    data = build.dataset(build.check_node(config["data"], "data"))
    assert data.spec.shape == data.spec.condition.shape == (1, 32, 32) and data.spec.padding == 2
    assert (data.spec.images, data.other.spec.images, len(data.test.images)) == (50, 50, 10_000)
    assert data.other.train.images.float().mean() > 200  # lines on white
    other = composed("data=mnist_unpaired", "data@data.of=cifar10", "data.of.task=grayscale")["data"]
    assert other["of"]["_target_"].endswith("CIFAR10") and other["of"]["task"] == "grayscale"


def images_of(count, size=8):
    return Split(torch.zeros(count, 1, size, size, dtype=torch.uint8))


def test_a_second_kind_of_ones_own():
    data = InMemory(images_of(5), other=InMemory(images_of(7)), aligned=False)
    assert data.spec.condition == Picture(1, 8, 8) and not data.aligned
    assert InMemory(images_of(5)).aligned  # rows are their own
    for words, message in (
        ({"task": "edges"}, "not with pairs|not with points"),
        ({"aligned": True}, "5 images to test with, and 7 of the other kind"),
    ):
        with pytest.raises(ConfigError, match=message):
            InMemory(images_of(5), other=InMemory(images_of(7)), **words)
    with pytest.raises(ConfigError, match="not with points"):
        InMemory(Split(torch.zeros(5, 2)), other=InMemory(images_of(7)))
