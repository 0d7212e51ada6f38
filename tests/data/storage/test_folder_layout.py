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


@pytest.mark.parametrize(
    ("training", "testing"),
    [
        ("Train", "Test"),
        ("TRAIN", "VAL"),
        ("training", "testing"),
        ("trn", "tst"),
        ("training_set", "test_set"),
        ("train2017", "val2017"),
        ("Train-Images", "Validation Images"),
        ("trainset", "evaluation"),
        ("train", "dev"),
        ("trainval", "test"),
        ("train_val", "test"),
        ("train", "holdout"),
        ("train", "held_out"),
        ("development", "evaluation"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_splits_in_any_spelling_outside_and_inside_of_classes(training, testing, inside):
    def name(split, kind):
        return f"{kind}/{split}/1.png" if inside else f"{split}/{kind}/1.png"

    found = of(read_layout([name(split, kind) for split in (training, testing) for kind in "ab"]))
    assert found == {
        "train": {name(training, kind): kind for kind in "ab"},
        "test": {name(testing, kind): kind for kind in "ab"},
    }


def test_splits_of_one_meaning_are_joined():
    found = read_layout(["train1/a/1.png", "train2/b/1.png", "Test/a/1.png"])
    assert sorted(found.splits["train"]) == ["train1/a/1.png", "train2/b/1.png"] and not found.unused


def test_readings_of_before_keep_their_key():
    assert read_layout(["train/1.png", "val/1.png"]).key == read_layout(["a/1.png", "b/1.png"]).key == {}
    assert read_layout(["Train/1.png", "val/1.png"]).key and read_layout(["train/1.png", "testing/1.png"]).key


@pytest.mark.parametrize(
    "folders",
    [
        ("trainA", "trainB", "testA", "testB"),
        ("seg_train", "seg_test", "seg_pred"),
        ("cat_train", "cat_test", "dog_train", "dog_test"),
        ("imagesTr", "imagesTs"),
        ("cat", "dog", "test"),
        ("test", "dev"),
        ("train", "extra"),
        ("train", "unlabeled"),
        ("train", "predict"),
        ("train", "query", "gallery"),
        ("trainval", "val"),
        ("train", "development"),
    ],
)
def test_folders_that_speak_of_splits_are_no_classes(folders):
    with pytest.raises(ConfigError, match="speak of training and testing"):
        read_layout([f"{folder}/1.png" for folder in folders])


def test_what_either_reading_gives_is_said():
    with pytest.raises(ConfigError) as error:
        read_layout(["cat/1.png", "cat/2.png", "test/1.png"])
    assert "cat (2 images), test (1 images)" in str(error.value) and "3 pictures of 2 classes" in str(error.value)
    assert "test would test, cat would be in neither" in str(error.value)


def test_all_but_the_test_trains_only_where_nothing_else_does():
    found = read_layout([f"{split}/1.png" for split in ("train", "val", "trainval", "test")]).splits
    assert found == {"train": ["train/1.png"], "test": ["val/1.png"]}
    found = read_layout([f"{split}/1.png" for split in ("val", "trainval", "test")]).splits
    assert found == {"train": ["trainval/1.png"], "test": ["test/1.png"]}


def test_inside_of_splits_any_name_is_a_class():
    names = [f"{split}/{kind}/1.png" for split in ("train", "test") for kind in ("valid", "invalid")]
    assert read_layout(names).classes == ["invalid", "valid"]


def test_words_in_class_names_do_not_matter():
    assert read_layout(["bullet train/1.png", "test tube/1.png", "cat/1.png", "dog/1.png"]).classes[0] == "bullet train"


@pytest.mark.parametrize("folder", [lambda number: number // 1000, lambda number: number // 1000 * 1000])
def test_numbered_shards_are_no_classes(folder):
    names = [f"{folder(number):05d}/img{number:08d}.png" for number in range(0, 5000, 250)]
    assert read_layout(names).classes == [] and "no classes" in read_layout(names).remark


def test_numbered_classes_are_no_shards():
    """GTSRB's folders have five digits too, and every class has a file 00000."""
    names = [f"{kind:05d}/{track:05d}_{frame:05d}.ppm" for kind in range(3) for track in (0, 1) for frame in (0, 29)]
    assert read_layout(names).classes == ["00000", "00001", "00002"]


def test_train_alone_is_a_class_like_any_other():
    found = read_layout(["train/1.png", "plane/1.png"])
    assert found.classes == ["plane", "train"] and "train is a class" in found.remark


def test_images_beside_classes_are_refused():
    with pytest.raises(ConfigError, match=r"1 images lie beside the class folders cat, dog: stray\.png"):
        read_layout(["cat/1.png", "dog/1.png", "stray.png"])


def test_the_user_says_what_folders_are():
    names = ["cat/1.png", "dog/1.png", "stray.png", "test/1.png"]
    assert read_layout(names, classes="none").classes == []
    found = read_layout(names, classes="folders")
    assert found.classes == ["cat", "dog", "test"] and found.labels["stray.png"] == -1
    assert "1 pictures beside these folders have none" in found.remark
    keys = [read_layout(["cat/1.png", "dog/1.png"], classes=rule).key for rule in (None, "none", "folders")]
    assert keys[0] == {} and keys[1] != keys[2]
    assert read_layout(["1.png"], classes="none").key == {}  # nothing is said: the same cache


def test_a_class_of_the_test_split_alone_is_refused():
    with pytest.raises(ConfigError, match=r"has a class c that the training split lacks \(a, b\)"):
        read_layout(["train/a/1.png", "train/b/1.png", "val/c/1.png"])


def test_the_order_does_not_follow_the_classes():
    names = [f"{kind}/{i:03}.png" for kind in "ab" for i in range(100)]
    found = read_layout(names)
    first = [found.labels[name] for name in found.splits["train"][:50]]
    assert 15 <= sum(first) <= 35
    assert read_layout(names[::-1]).splits == found.splits  # whatever the order of the listing
