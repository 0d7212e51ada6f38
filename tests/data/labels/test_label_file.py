"""dataset.json: classes, vectors, pictures without labels, and files that do not fit; and what genlab writes."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.core.condition import Attributes, Classes
from genlab.core.errors import ConfigError
from genlab.core.words import Words
from genlab.data import InMemory, Split
from genlab.data.sets.folder import Folder
from genlab.pictures.sheet import write_png
from genlab.sampling.save import write_folder, write_npz, write_zip

CLASSES = [2, 0, 1, 2, 0, 2]


def save(path: Path, number: int) -> str:
    """A picture whose red says its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0], pixels[0, 0] = number, (number, 255, 0)
    Image.fromarray(pixels).save(path)
    return path.name


@pytest.fixture
def shards(tmp_path) -> Path:
    """Six pictures in two folders, as NVIDIA's dataset_tool would lay them out with three a folder."""
    for number in range(6):
        save(tmp_path / "set" / f"{number // 3:05d}" / f"img{number:08d}.png", number)
    return tmp_path / "set"


def write_labels(folder: Path, labels: object) -> str:
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    return str(folder)


def entries(labels: list) -> list:
    return [[f"{number // 3:05d}/img{number:08d}.png", label] for number, label in enumerate(labels)]


def by_number(split) -> list:
    """The labels in the order of the pictures' numbers."""
    order = split.images[:, 0, 4, 4].argsort()
    return split.labels[order].tolist()


def test_classes(shards):
    data = Folder(write_labels(shards, entries(CLASSES)))
    assert by_number(data.train) == CLASSES and data.spec.condition == Classes(3)
    assert data.train.labels.dtype == torch.int64 and "3 classes from dataset.json" in dict(data.notes.rows)["layout"]
    assert data.fingerprint != Folder(write_labels(shards, entries(CLASSES[::-1]))).fingerprint


def test_in_a_zip_below_a_folder_and_with_backslashes(shards, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in shards.rglob("*.png"):
            archive.write(file, f"top/{file.relative_to(shards)}")
        named = [[name.replace("/", "\\"), label] for name, label in entries(CLASSES)]
        archive.writestr("top/dataset.json", json.dumps({"labels": named}))
    assert by_number(Folder(str(tmp_path / "set.zip")).train) == CLASSES


def test_vectors(shards):
    vectors = np.random.default_rng(0).random((6, 4)).round(3).tolist()
    data = Folder(write_labels(shards, entries(vectors)))
    assert data.spec.condition == Attributes(4) and data.train.labels.dtype == torch.float32
    assert np.allclose(by_number(data.train), vectors)


@pytest.mark.parametrize("rest", [[], [None, None]])
def test_pictures_without_a_class(shards, rest):
    data = Folder(write_labels(shards, entries([*CLASSES[:4], *rest])))
    assert by_number(data.train) == [*CLASSES[:4], -1, -1] and data.spec.condition == Classes(3)


@pytest.mark.parametrize("names", ["cat", ["cat", "dog"], ["cat", "dog", 1], ["cat", "dog", "dog"], ["a", "b", ""]])
def test_names_of_classes_that_do_not_fit(shards, names):
    (shards / "dataset.json").write_text(json.dumps({"labels": entries(CLASSES), "class_names": names}))
    with pytest.raises(ConfigError, match="dataset.json: class_names=.*expected a list of texts|has 2 names"):
        Folder(str(shards))


def test_null_means_that_shards_are_no_classes(shards):
    data = Folder(write_labels(shards, None))
    assert data.train.labels is None and data.spec.condition is None


def test_of_each_split(shards, tmp_path):
    for split in ("train", "test"):
        (tmp_path / "both").mkdir(exist_ok=True)
        shards_copy = tmp_path / "both" / split
        for number in range(6):
            save(shards_copy / f"{number // 3:05d}" / f"img{number:08d}.png", number + 10 * (split == "test"))
        write_labels(shards_copy, entries(CLASSES if split == "train" else CLASSES[::-1]))
    data = Folder(str(tmp_path / "both"))
    assert by_number(data.train) == CLASSES and by_number(data.test) == CLASSES[::-1]


def test_a_name_with_two_labels_in_one_object_is_refused(shards):
    """Of equal keys a JSON reader keeps the last."""
    name = write_labels(shards, None) and next(path for path in sorted(shards.rglob("*.png")))
    text = f'{{"labels": {{"{name.relative_to(shards)}": 0, "{name.relative_to(shards)}": 1}}}}'
    (shards / "dataset.json").write_text(text)
    with pytest.raises(ConfigError, match="stands there twice: 0 and 1"):
        Folder(str(shards))


def test_a_file_of_another_program_is_none(shards):
    (shards / "dataset.json").write_text('{"title": "photos"}')
    assert Folder(str(shards)).class_names == ["00000", "00001"]  # file 3 of shards by the thousand would be in 00000


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([["other.png", 1]], r"none of its 1 names is a picture here\. It names other\.png"),
        (entries([[1, 2]] * 3 + [[1, 2, 3]] * 3), "vectors of 2 and of 3 numbers"),
        (entries([[1, 2]] * 4), "gives vectors, and 2 of 6 pictures have none: 00001/img00000004"),
        (entries(["cat"] * 6), "6 labels such as cat of 00000/img00000000.png"),
        (entries([0.5] * 6), "6 labels such as 0.5"),
        ([*entries(CLASSES), entries([1])[0]], r"names with two different labels: 00000/img00000000\.png"),
        (entries([10**7, 0, 1, 2, 0, 2]), r"10000000 of 00000/img00000000\.png makes 10,000,001 classes of 6 files"),
        ([1, 2], "dataset.json: cannot be read"),
    ],
)
def test_labels_that_do_not_fit(shards, labels, words):
    with pytest.raises(ConfigError, match=words):
        Folder(write_labels(shards, labels))


BATCH = torch.arange(5 * 64 * 3).remainder(251).to(torch.uint8).view(5, 8, 8, 3).numpy()
VOCABULARY = Words(("bold", "three", "two"), 2)


@pytest.mark.parametrize("write", [write_zip, write_folder, write_npz])
@pytest.mark.parametrize(
    ("labels", "condition"),
    [
        (None, None),
        (np.array([2, 1, 0, 2, 2]), Classes(3)),
        (np.array([1, 1, 0, 1, 0]), Classes(3, ("1", "10", "2"))),  # folders as they are sorted; 2 has no sample
        (np.random.default_rng(0).random((5, 3), np.float32), Attributes(3)),
        (np.eye(5, 2, dtype=np.float32), Attributes(2, ("Male", "Smiling"))),
        (np.array([[1, 2], [3, 0], [1, 3], [2, 0], [2, 1]]), VOCABULARY),
    ],
)
def test_saved_samples_are_read_back(tmp_path, write, labels, condition):
    path = tmp_path / {write_zip: "samples.zip", write_folder: "samples", write_npz: "samples.npz"}[write]
    write(path, [(BATCH, labels)], 5, condition)
    data = Folder(str(path), words="caption" if condition is VOCABULARY else None)
    order = data.train.images[:, 0, 0, 0].int().argsort(stable=True)
    expected = torch.from_numpy(BATCH).permute(0, 3, 1, 2)
    assert data.spec.condition == condition
    wanted = expected[:, 0, 0, 0].int().argsort(stable=True)
    assert torch.equal(data.train.images[order], expected[wanted])
    if labels is not None:
        found = data.train.labels[order][:, :2] if condition is VOCABULARY else data.train.labels[order]
        assert np.allclose(found.numpy(), labels[wanted.numpy()])


def test_names_in_an_npz_are_read_by_hand_too(tmp_path):
    write_npz(tmp_path / "a.npz", [(BATCH, np.array([1, 1, 0, 1, 0]))], 5, Classes(2, ("cat", "dog")))
    with np.load(tmp_path / "a.npz") as found:
        data = InMemory(Split(found["arr_0"], found["arr_1"]), class_names=found["class_names"])
    assert data.spec.condition == Classes(2, ("cat", "dog"))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"z": BATCH}, "it holds z, and no arr_0. Expected what mode=save writes"),
        ({"arr_0": BATCH[0, 0, :, :2].astype(np.float32)}, r"arr_0 is float32 of shape \[8, 2\]"),
        ({"arr_0": BATCH, "arr_1": np.zeros(4, np.int64)}, "4 labels for 5 pictures"),
    ],
)
def test_an_npz_of_others_is_refused(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ConfigError, match=words):
        Folder(str(tmp_path / "a.npz"))


def test_attributes_have_as_many_names_as_numbers(shards):
    content = {"labels": entries([[float(number), 1.0] for number in CLASSES]), "attribute_names": ["Male"]}
    (shards / "dataset.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="attribute_names has 1 names for vectors of 2 numbers"):
        Folder(str(shards))


def test_names_without_a_file_and_classes_without_a_picture_are_told(shards):
    write_labels(shards, [*entries([4, 0, 1, 2, 0, 2]), ["gone.png", 1]])
    (shards / "dataset.json").rename(shards / "Dataset.JSON")
    said = "5 classes from dataset.json, 1 of its names match no file: gone.png, 1 classes without a picture: 3"
    assert dict(Folder(str(shards)).notes.rows)["layout"] == said


def test_what_genlab_wrote_among_other_pictures_is_left_out(tmp_path):
    for number in range(3):
        save(tmp_path / f"{number}.png", number)
    write_folder(tmp_path / "fake", [(BATCH, np.array([2, 1, 0, 2, 2]))], 5, Classes(3))
    write_png(torch.from_numpy(BATCH[0]).permute(2, 0, 1), tmp_path / "fake.png")
    data = Folder(str(tmp_path))
    assert data.spec.images == 3 and dict(data.notes.rows)["files"] == "left out: 6 files of genlab's own runs"
    assert Folder(str(tmp_path / "fake")).spec.images == 5
