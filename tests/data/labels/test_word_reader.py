"""Words and numbers that come with images: where they are found, what they become, and what every mistake says."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.core import words as told_words
from genlab.core.condition import Attributes
from genlab.core.errors import ConfigError
from genlab.core.words import encode_texts, words_of
from genlab.data import MNIST, InMemory, Split, WordReader
from genlab.data.labels.attribute_vectors import read_heading
from genlab.data.labels.digit_words import DIGITS, RULE, caption, measure_words, slant, stroke
from genlab.data.sets.folder import Folder

NAMES = ("food_drink/red apple.png", "food_drink/Green-pear.png", "animals/red_fox.png", "animals/fox 2.png")


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four grey pictures, each of another shade."""
    for index, name in enumerate(NAMES):
        save(tmp_path / "pictures" / name, 50 * index)
    return tmp_path / "pictures"


def save(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), shade).save(path)


def told(data: InMemory, split: str = "train") -> dict[int, object]:
    """Shade -> what is told of the picture."""
    images, labels = data.reference(split)
    kind = data.spec.condition
    said = labels.tolist() if kind == Attributes(2) else [kind.caption(row) for row in labels]
    return dict(zip(images[:, 0, 0, 0].tolist(), said, strict=True))


def test_words_are_runs_of_letters_and_digits():
    assert words_of("A red_fox's 2nd - DEN, schön!") == ["a", "red", "fox's", "2nd", "den", "schön"]
    assert words_of(" -_- ") == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("folders", ["food drink", "food drink", "animals", "animals"]),
        ("name", ["red apple", "green pear", "red fox", "fox 2"]),
        ("path", ["food drink red apple", "food drink green pear", "animals red fox", "animals fox 2"]),
    ],
)
def test_words_of_paths(folder, source, expected):
    data = Folder(str(folder), words=source)
    assert told(data) == dict(zip((0, 50, 100, 150), expected, strict=True))
    known = data.spec.condition
    assert known.vocabulary == tuple(sorted({word for text in expected for word in text.split()}))
    assert known.length == data.train.labels.shape[1] == max(len(text.split()) for text in expected)
    assert data.spec.class_count is None and data.class_names == ["animals", "food_drink"]
    assert data.spec.condition_size == len(known.vocabulary) and data.spec.unconditional.condition is None


def test_rare_words_and_late_words_are_left_out(folder):
    data = Folder(str(folder), words=WordReader("path", least=2, length=2))
    assert told(data) == {0: "food drink", 50: "food drink", 100: "animals red", 150: "animals fox"}


def test_folders_of_splits_are_no_words_and_the_training_split_makes_the_vocabulary(folder):
    for name in ("animals", "food_drink"):
        (folder / "train").mkdir(exist_ok=True)
        (folder / name).rename(folder / "train" / name)
    save(folder / "test" / "animals" / "blue fox.png", 200)
    save(folder / "test" / "animals" / "whale.png", 210)
    data = Folder(str(folder), words="path")
    assert told(data, "test") == {200: "animals fox", 210: "animals"}
    assert not {"test", "whale"} & set(data.spec.condition.vocabulary)


def test_a_file_that_gives_no_picture_takes_its_words_with_it(folder):
    (folder / "animals" / "badger.png").write_bytes(b"nothing")
    data = Folder(str(folder), words="name", on_error="skip")
    assert told(data)[100] == "red fox" and "badger" not in data.spec.condition.vocabulary


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, f"all/{file.relative_to(folder)}")
    return path


CAPTIONS = {name: f"Caption {index}" for index, name in enumerate(NAMES)}
SAID = {0: "caption 0", 50: "caption 1", 100: "caption 2", 150: "caption 3"}


def beside(folder: Path) -> None:
    for name, text in CAPTIONS.items():
        (folder / name).with_suffix(".txt").write_text(text)


def in_json(folder: Path) -> None:
    (folder / "captions.json").write_text(json.dumps(CAPTIONS))


def in_csv(folder: Path) -> None:
    lines = [f'"{name.removesuffix(".png")}","{text}"' for name, text in CAPTIONS.items()]
    (folder / "captions.csv").write_text("\n".join(["name,caption", *lines]), encoding="utf-8-sig")


@pytest.mark.parametrize("write", [beside, in_json, in_csv])
@pytest.mark.parametrize("pack", [lambda folder: folder, zipped])
def test_captions_lie_beside_images_or_in_a_table(folder, write, pack):
    write(folder)
    assert told(Folder(str(pack(folder)), words="caption")) == SAID


def test_images_without_a_caption_are_named(folder):
    beside(folder)
    (folder / "animals" / "fox 2.txt").unlink()
    with pytest.raises(ConfigError, match=r"1 of 4 images have no caption: animals/fox 2\.png.*animals/fox 2\.txt"):
        Folder(str(folder), words="caption")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("captions.json", b"[1]", "captions.json: expected one text a name"),
        ("captions.json", b'{"a": 1}', "a value is no text"),
        ("captions.csv", b"a,b,c", "captions.csv: expected one text a name"),
        ("captions.csv", b"a,\xff", "must be UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_named(folder, file, content, message):
    (folder / file).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        Folder(str(folder), words="caption")


def test_a_vocabulary_without_words_is_refused(folder):
    with pytest.raises(ConfigError, match=r"no word of name belongs to 3 training images.*data\.words\.least"):
        Folder(str(folder), words=WordReader("name", least=3))


def test_pixels_are_decoded_once_whatever_the_labels(folder, monkeypatch):
    prints = {Folder(str(folder)).fingerprint}
    monkeypatch.setattr("genlab.data.storage.decoder.read_file", None)  # any decoding would fail
    for words in ("name", "path", WordReader("path", least=2), WordReader("path", length=2)):
        prints.add(Folder(str(folder), words=words).fingerprint)
    assert len(prints) == 5
    assert Folder(str(folder), words="name").fingerprint in prints


NUMBERS = np.arange(8, dtype=np.float64).reshape(4, 2)
SORTED = {100: [2.0, 3.0], 150: [0.0, 1.0], 50: [4.0, 5.0], 0: [6.0, 7.0]}  # fox 2, red_fox, Green-pear, red apple


def test_numbers_belong_to_images_in_the_sorted_order_of_their_names(folder):
    np.save(folder / "numbers.npy", NUMBERS)
    data = Folder(str(folder), conditions=str(folder / "numbers.npy"))
    assert told(data) == SORTED and data.spec.condition == Attributes(2) and data.train.labels.dtype == torch.float32
    assert data.fingerprint != Folder(str(folder)).fingerprint
    np.save(folder / "numbers.npy", NUMBERS + 1)
    assert Folder(str(folder), conditions=str(folder / "numbers.npy")).fingerprint != data.fingerprint


@pytest.mark.parametrize("suffix", ["txt", "csv"])
def test_attributes_in_a_table_like_that_of_celeba(folder, suffix):
    """A count, the names, and a row of -1 and 1 for each file by its own name (list_attr_celeba.txt)."""
    names = sorted(path.name for path in folder.rglob("*.png"))
    values = {name: [1 - 2 * (index % 2), -1, 1] for index, name in enumerate(names)}
    blank = "," if suffix == "csv" else "  "
    rows = [blank.join([name, *map(str, numbers)]) for name, numbers in values.items()]
    (folder / f"attributes.{suffix}").write_text("\n".join([str(len(rows)), f"Smiling{blank}Bald{blank}Young", *rows]))
    data = Folder(str(folder), conditions=str(folder / f"attributes.{suffix}"))
    assert data.spec.label_names == ("Smiling", "Bald", "Young")
    assert sorted(data.train.labels.tolist()) == sorted([(value + 1) / 2 for value in row] for row in values.values())


@pytest.mark.parametrize(
    ("text", "count", "names"),
    [
        ("image_id,Wears hat,Bald\na.png,1,0", 2, ("Wears hat", "Bald")),
        ("2\nMale\na.png 1\nb.png 0", 1, ("Male",)),
        ("2\na.png 1\nb.png 0", 1, ()),  # the first line counts
        ("a.png 1 0\nMale Bald", 2, ()),
        ("Male Male\na.png 1 0", 2, ()),
    ],
)
def test_a_heading_names_attributes(text, count, names):
    assert read_heading(text, count) == names


def test_numbers_by_name(folder):
    keys = [NAMES[0], *(name.removesuffix(".png") for name in NAMES[1:])]
    np.savez(folder / "numbers.npz", **dict(zip(keys, NUMBERS, strict=True)))
    data = Folder(str(folder), conditions=str(folder / "numbers.npz"), test_share=0.5)
    assert told(data) | told(data, "test") == dict(zip((0, 50, 100, 150), NUMBERS.tolist(), strict=True))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (NUMBERS[:3], "3 rows, and there are 4 images"),
        (NUMBERS[:, 0], r"float64 of shape \[4\]"),
        (NUMBERS * np.nan, "not finite"),
        (np.array(["a"] * 4)[:, None], "<U1 of shape"),
        ({"animals/red_fox": NUMBERS[0]}, r"3 of 4 images have no array there: .*Green-pear\.png"),
        ({name: np.zeros(2 + (name == NAMES[0])) for name in NAMES}, r"arrays of the shapes \(2,\) and \(3,\)"),
        (None, "cannot be read"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(folder, numbers, message):
    path = folder / ("numbers.npz" if isinstance(numbers, dict) else "numbers.npy")
    if isinstance(numbers, dict):
        np.savez(path, **numbers)
    elif numbers is not None:
        np.save(path, numbers)
    with pytest.raises(ConfigError, match=f"data.conditions=.*{message}"):
        Folder(str(folder), conditions=str(path))


def test_options_that_do_not_go_together_are_refused(folder):
    with pytest.raises(ConfigError, match="one of them"):
        Folder(str(folder), words="name", conditions="numbers.npy")
    with pytest.raises(ConfigError, match="no model is told words"):
        Folder(str(folder), words="name", task="edges")
    with pytest.raises(ConfigError, match="these data have no classes"):
        Folder(str(folder), words="name", labelled=2)


def test_numbers_of_unknown_words_are_refused():
    images = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    for labels, words in ((torch.tensor([[1], [3]]), ("a", "b")), (torch.tensor([[1], [2]]), ()), (None, ("a",))):
        if labels is not None:
            with pytest.raises(ConfigError, match="the words of images" if words else "words need InMemory"):
                InMemory(Split(images, labels), condition=told_words.Words(words, 1) if words else None)
    with pytest.raises(ConfigError, match="the words of images"):
        InMemory(Split(images, torch.zeros(2, 1)), condition=told_words.Words(("a",), 1))


def test_texts_become_numbers_and_texts_again():
    rows = encode_texts(["b a b c d", "x", ""], ["a", "b", "c"], 3)
    assert rows.tolist() == [[2, 1, 2], [0, 0, 0], [0, 0, 0]]
    assert told_words.Words(("a", "b", "c"), 3).caption(rows[0]) == "b a b"


def test_unknown_words_are_named_with_the_nearest_known_ones():
    known = told_words.Words(("animals", "food", "nature"), 2)
    assert known.parse(["Nature animals", "food"]).tolist() == [[3, 1], [2, 0]]
    message = r"words: .*3 words, but not natures \(nearest: nature, .*; foot \(nearest: food"
    with pytest.raises(ConfigError, match=message):
        known.parse(["natures", "foot food"])
    with pytest.raises(ConfigError, match="expected words, such as animals"):
        known.parse(["food", "--"])


def test_words_name_the_class_all_of_whose_words_they_hold():
    known = ("animals", "big", "drink", "food")
    texts = encode_texts(["big animals", "drink food big", "food", "animals food drink", "big"], known, 3)
    names = ["animals", "food_drink", "whales"]
    assert told_words.Words(known, 3).classes_of(texts, names).tolist() == [0, 1, -1, -1, -1]


def bar(width: int, lean: float, side: int = 28) -> torch.Tensor:
    """A white bar on black, `width` pixels wide, that leans to the right by `lean` pixels a row."""
    rows = torch.arange(side)
    middle = (side - 1) / 2 - lean * (rows - (side - 1) / 2)
    far = (rows[None] - middle[:, None]).abs()
    inside = (far <= width / 2) & (rows[:, None] >= 4) & (rows[:, None] < side - 4)
    return (inside * 255).to(torch.uint8)[None, None]


@pytest.mark.parametrize("width", [2, 4])
def test_a_bar_is_as_wide_as_it_is_drawn(width):
    """20 pixels high: area 20 w, outline 2 (20 + w)."""
    assert stroke(bar(width, 0.0)).item() == pytest.approx(2 * 20 * width / (2 * (20 + width)), rel=0.03)


@pytest.mark.parametrize("lean", [-0.5, 0.0, 0.25])
def test_a_bar_leans_as_it_is_drawn(lean):
    assert slant(bar(4, lean)).item() == pytest.approx(lean, abs=0.03)


def test_captions_of_digits():
    images = torch.cat([bar(width, lean) for width, lean in ((4, 0.5), (2, -0.5), (2, 0.1))])
    seen = measure_words(images)
    texts = [caption(digit, applies) for digit, applies in zip((3, 0, 7), seen.tolist(), strict=True)]
    assert texts == ["bold three slanted right", "thin zero slanted left", "thin seven"]
    assert caption(7, [False] * 4) == "seven" and RULE.words == ("thin", "bold", "left", "right")


def test_mnist_in_words():
    data, plain = MNIST(words=True, limit=2_000, size=32, holdout=10), MNIST(limit=2_000, size=32, holdout=10)
    for split in ("train", "test", "holdout"):
        words, labels = data.reference(split).labels, plain.reference(split).labels
        assert torch.equal(data.spec.classes_of(words, data.class_names), labels)
    assert data.class_names == list(DIGITS) and data.spec.condition.length == 4 and data.spec.condition_size == 15
    texts = [data.spec.condition.caption(row) for row in data.train.labels]
    for word in ("thin", "bold", "left", "right"):
        assert 0.15 < np.mean([word in text.split() for text in texts]) < 0.35
    assert torch.equal(data.train.images, plain.train.images) and data.fingerprint != plain.fingerprint
