"""Which folders are splits, which are classes, and which are neither."""

import pytest

from genlab.core.errors import ConfigError
from genlab.data.storage.folder_layout import read_layout


def of(found):
    """Split -> {name: class name}."""
    names = [*found.classes, None]
    return {split: {name: names[found.labels[name]] for name in members} for split, members in found.splits.items()}


def test_loose_images_have_no_class():
    assert of(read_layout(["a.png", "b.png"])) == {"train": {"a.png": None, "b.png": None}}


def test_folders_are_classes_in_the_order_of_their_names():
    found = read_layout(["dog/1.png", "cat/1.png", "cat/deep/2.png"])
    assert found.classes == ["cat", "dog"]
    assert of(found) == {"train": {"dog/1.png": "dog", "cat/1.png": "cat", "cat/deep/2.png": "cat"}}


@pytest.mark.parametrize("around", ["", "data/", "my/data/"])
def test_folders_that_hold_everything_are_skipped(around):
    assert read_layout([f"{around}cat/1.png", f"{around}dog/1.png"]).classes == ["cat", "dog"]
    assert read_layout([f"{around}1.png", f"{around}2.png"]).classes == []


def test_a_single_class_is_none():
    assert of(read_layout(["cat/1.png", "cat/2.png"])) == {"train": {"cat/1.png": None, "cat/2.png": None}}


@pytest.mark.parametrize("testing", ["val", "valid", "validation", "test"])
@pytest.mark.parametrize("around", ["", "imagenet/"])
def test_train_and_test_folders_are_splits(testing, around):
    names = [f"{around}{split}/{kind}/{i}.png" for split in ("train", testing) for kind in "ab" for i in range(2)]
    found = of(read_layout(names))
    assert found["train"] == {f"{around}train/{kind}/{i}.png": kind for kind in "ab" for i in range(2)}
    assert found["test"] == {f"{around}{testing}/{kind}/{i}.png": kind for kind in "ab" for i in range(2)}


def test_a_test_split_may_have_no_labels():
    found = read_layout(["train/a/1.png", "train/b/1.png", "val/1.png"])
    assert found.classes == ["a", "b"] and found.labels["val/1.png"] == -1


def test_of_two_test_splits_one_is_used():
    found = read_layout(["train/a/1.png", "train/b/1.png", "val/a/1.png", "test/1.png", "stray.png"])
    assert found.splits["test"] == ["val/a/1.png"] and found.unused == ["test/1.png", "stray.png"]


def test_train_alone_is_a_class_like_any_other():
    assert read_layout(["train/1.png", "plane/1.png"]).classes == ["plane", "train"]


def test_images_beside_classes_are_refused():
    with pytest.raises(ConfigError, match=r"1 images lie beside the class folders cat, dog: stray\.png"):
        read_layout(["cat/1.png", "dog/1.png", "stray.png"])


def test_a_class_of_the_test_split_alone_is_refused():
    with pytest.raises(ConfigError, match=r"has a class c that the training split lacks \(a, b\)"):
        read_layout(["train/a/1.png", "train/b/1.png", "val/c/1.png"])


def test_the_order_does_not_follow_the_classes():
    names = [f"{kind}/{i:03}.png" for kind in "ab" for i in range(100)]
    found = read_layout(names)
    first = [found.labels[name] for name in found.splits["train"][:50]]
    assert 15 <= sum(first) <= 35
    assert read_layout(names[::-1]).splits == found.splits  # whatever the order of the listing
