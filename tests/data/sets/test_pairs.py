"""Pairs and unpaired pictures from files: what they become, and what every mistake says."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.data.sets.folder import Folder
from genlab.data.sets.pairs import Pairs
from genlab.data.sets.unpaired import Unpaired
from genlab.sampling.translate import name_outputs, open_pictures

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)


def save(path: Path, *colours, size=(12, 10), mode="RGB") -> Path:
    """Pictures of one colour, side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    sheet = Image.new(mode, (width * len(colours), height))
    for index, colour in enumerate(colours):
        sheet.paste(colour, (width * index, 0, width * (index + 1), height))
    sheet.save(path)
    return path


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return path


def first_pixels(pictures: torch.Tensor) -> list[tuple]:
    return [tuple(picture[:, 0, 0].tolist()) for picture in pictures]


@pytest.fixture
def beside(tmp_path) -> Path:
    """Six files: A red on the left, B on the right, whose green says which file; train, val and test."""
    for index in range(6):
        folder = ("train", "train", "train", "train", "val", "test")[index]
        save(tmp_path / "facades" / folder / f"{index}.png", (255, index, 0), (0, index, 255))
    return tmp_path / "facades"


@pytest.fixture
def apart(tmp_path) -> list[Path]:
    """The same in two folders, in subfolders, with other suffixes."""
    for index in range(20):
        save(tmp_path / "a" / "round" / f"{index:04x}-{index % 2}.png", (255, index, 0))
        save(tmp_path / "b" / "round" / f"{index:04x}-{index % 2}.bmp", (0, index, 255))
    return [tmp_path / "a", tmp_path / "b"]


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped])
def test_halves_of_a_file_are_partners(beside, pack):
    data = Pairs(str(pack(beside)))
    assert data.spec.shape == (3, 10, 12) and data.spec.condition == Picture(3, 10, 12) and data.spec.images == 4
    assert sorted(first_pixels(data.train.labels)) == [(255, index, 0) for index in range(4)]
    assert first_pixels(data.train.images) == [(0, green, 255) for _, green, _ in first_pixels(data.train.labels)]
    assert first_pixels(data.test.images) == [(0, 4, 255)]  # val comes before test
    assert data.name == "facades" and data.spec.class_count is None


LAYOUTS = {
    "A/train": lambda split, side: f"{side}/{split}",
    "train/A": lambda split, side: f"{split}/{side}",
    "trainA": lambda split, side: f"{split}{side}",
    "Train_a": lambda split, side: f"{split.title()}_{side.lower()}",
    "domain_A": lambda split, side: f"{split}ing/domain_{side}",
}


@pytest.mark.parametrize("around", ["", "sets/mine/"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_and_b_in_one_root(tmp_path, layout, around):
    """Pictures twice as wide as high, which halves would be made of if folders meant nothing."""
    for split, numbers in (("train", range(4)), ("test", range(4, 6))):
        for index in numbers:
            for side, colour in (("A", (255, index, 0)), ("B", (0, index, 255))):
                save(tmp_path / "set" / around / LAYOUTS[layout](split, side) / f"{index}.png", colour, size=(20, 10))
    for pack in (str, lambda folder: str(zipped(folder))):
        data = Pairs(pack(tmp_path / "set"))
        assert data.spec.shape == (3, 10, 20) and data.name == "set"
        assert sorted(first_pixels(data.train.labels)) == [(255, index, 0) for index in range(4)]
        assert first_pixels(data.train.images) == [(0, green, 255) for _, green, _ in first_pixels(data.train.labels)]
        assert sorted(first_pixels(data.test.images)) == [(0, index, 255) for index in (4, 5)]
        apart = Unpaired(pack(tmp_path / "set"), aligned=True)
        assert sorted(first_pixels(apart.train.images)) == [(0, index, 255) for index in range(4)]
        assert first_pixels(apart.other.test.images) == [
            (255, green, 0) for _, green, _ in first_pixels(apart.test.images)
        ]


def test_a_and_b_without_splits(tmp_path):
    for index in range(4):
        save(tmp_path / "set" / "A" / f"{index}.png", (255, index, 0), size=(20, 10))
        save(tmp_path / "set" / "B" / f"{index}.jpg", (0, index, 255), size=(20, 10))
        save(tmp_path / "set" / "AB" / f"{index}.png", RED, BLUE)  # pix2pix's script puts it beside them
    data = Pairs(str(tmp_path / "set"))
    assert data.spec.shape == (3, 10, 20) and data.spec.images == 4 and data.test is None
    assert Unpaired(str(tmp_path / "set")).other.spec.images == 4


def test_an_alphabet_of_folders_is_not_a_and_b(tmp_path):
    for letter in "ABC":
        save(tmp_path / "set" / letter / "1.png", RED, BLUE)
    assert Pairs(str(tmp_path / "set")).spec.images == 3
    with pytest.raises(ConfigError, match="folders A and B, and C beside them, which is too much"):
        Unpaired(str(tmp_path / "set"))


@pytest.mark.parametrize("make", [Pairs, Unpaired])
def test_one_place_twice_is_refused(tmp_path, make):
    save(tmp_path / "a" / "1.png", RED)
    with pytest.raises(ConfigError, match="one place twice"):
        make([str(tmp_path / "a"), str(tmp_path / "b" / ".." / "a")])


def test_single_pictures_are_no_pairs_side_by_side(tmp_path):
    for index, size in enumerate([(16, 16), (32, 24), (24, 32), (32, 18), (48, 16)]):
        save(tmp_path / "photos" / f"{index}.png", (255, index, 0), size=size)
    with pytest.raises(ConfigError) as error:
        Pairs(str(tmp_path / "photos"))
    assert "5 of 5 images" in str(error.value) and "1.png: 32 x 24 pixels: two pictures side by side" in str(
        error.value
    )
    for reading in ("halves of 16 x 24", "folders A and B", "data.root=[A,B]", "data=folder", "data=unpaired"):
        assert reading in str(error.value)


def test_two_kinds_of_pictures_are_no_pairs(horses):
    with pytest.raises(ConfigError, match="0 names have a partner.*data=unpaired"):
        Pairs(str(horses))


def test_what_translation_writes_is_a_partner_of_what_it_read(tmp_path):
    """`mode=translate` writes a PNG for each picture, by its name without suffix."""
    names = {"a.jpg": "JPEG", "deep/b": "PNG", "c.JFIF": "JPEG", "photo.1": "PNG"}
    for index, (name, format) in enumerate(names.items()):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 10), (255, index, 0)).save(tmp_path / "in" / name, format)
    source, outputs = open_pictures(tmp_path / "in")
    for index, name in enumerate(source.names):
        save(tmp_path / "out" / f"{outputs[name]}.png", (0, index, 255))
    assert Pairs([str(tmp_path / "in"), str(tmp_path / "out")]).spec.images == 4


def test_the_other_direction(beside):
    data = Pairs(str(beside), direction="BtoA")
    assert first_pixels(data.test.labels) == [(0, 4, 255)] and first_pixels(data.test.images) == [(255, 4, 0)]


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped])
def test_files_of_the_same_name_are_partners(apart, pack):
    data = Pairs([str(pack(folder)) for folder in apart])
    greens = [green for _, green, _ in first_pixels(data.train.labels)]
    assert sorted(greens) == list(range(20))
    assert first_pixels(data.train.images) == [(0, green, 255) for green in greens] and data.name == "a_b"


def test_pairs_are_decoded_once(beside, monkeypatch):
    from genlab.data.storage import decoder

    names, content = [], decoder.read_file
    monkeypatch.setattr(decoder, "read_file", lambda source, name: names.append(name) or content(source, name))
    first, second = Pairs(str(beside)), Pairs(str(beside))
    assert names[:2] == ["test/5.png"] * 2  # the header, for the channels of either side
    assert sorted(names[2:]) == [*(f"train/{index}.png" for index in range(4)), "val/4.png"]
    assert first.fingerprint == second.fingerprint != Pairs(str(beside), direction="BtoA").fingerprint
    assert torch.equal(first.train.labels, second.train.labels)


def test_both_are_resized_and_cropped_alike(tmp_path):
    rows = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    for index in range(3):
        path = tmp_path / "same" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.concatenate([rows, rows], 1)).save(path)
    data = Pairs(str(tmp_path / "same"), size=16, crop=12)
    assert data.spec.shape == (3, 12, 12) and data.pool.images.shape == (3, 3, 16, 16)
    assert torch.equal(data.train.images, data.train.labels) and torch.equal(data.pool.images, data.pool.labels)


def test_each_side_has_its_own_channels(tmp_path):
    for index in range(3):
        save(tmp_path / "grey" / f"{index}.png", 10 * index, mode="L")
        save(tmp_path / "colour" / f"{index}.png", (255, index, 0))
    roots = [str(tmp_path / "grey"), str(tmp_path / "colour")]
    assert Pairs(roots).spec.condition == Picture(1, 10, 12) and Pairs(roots).spec.channels == 3
    assert Pairs(roots, source_channels=3, channels=1).spec.condition == Picture(3, 10, 12)
    assert Pairs(roots, direction="BtoA").spec.channels == 1


def test_label_maps_keep_their_numbers(tmp_path):
    maps = np.zeros((10, 12), np.uint8)
    maps[2:6, 3:9], maps[8:] = 2, 255
    for index in range(3):
        save(tmp_path / "photo" / f"{index}.png", RED)
        path = tmp_path / "map" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        picture = Image.fromarray(maps).convert("P") if index else Image.fromarray(maps)
        if index:
            picture.putdata(maps.flatten().tolist())
            picture.putpalette([200] * 768)  # colours that say nothing
        picture.save(path)
    roots = [str(tmp_path / "map"), str(tmp_path / "photo")]
    data = Pairs(roots, source_classes=3)
    assert data.spec.condition == Picture(1, 10, 12, 3) and data.spec.condition.input_channels == 3
    assert torch.equal(data.train.labels, torch.from_numpy(maps).expand(3, 1, 10, 12))
    assert set(Pairs(roots, source_classes=3, size=7).train.labels.unique().tolist()) <= {0, 2, 255}
    with pytest.raises(ConfigError, match=r"class 2; expected 0 to 1, or 255 for none"):
        Pairs(roots, source_classes=2)
    with pytest.raises(ConfigError, match="a label map has one channel, and this picture is RGB"):
        Pairs(roots, source_classes=3, direction="BtoA")


def test_names_without_a_partner_are_listed(apart):
    save(apart[0] / "round" / "ffff.png", RED)
    save(apart[1] / "round" / "eeee.png", RED)
    roots = [str(folder) for folder in apart]
    with pytest.raises(ConfigError) as error:
        Pairs(roots)
    assert "20 names have a partner" in str(error.value) and "data.on_error=skip" in str(error.value)
    assert "1 of A alone: ffff; 1 of B alone: eeee" in str(error.value)
    assert Pairs(roots, on_error="skip").spec.images == 20


@pytest.mark.parametrize(
    ("size", "expected"),
    [(None, "12 x 10 pixels, and its partner 14 x 10: set data.size=PIXELS"), (8, "14 x 10: cut them alike")],
)
def test_partners_of_other_sizes_are_named(apart, size, expected):
    (apart[1] / "round" / "0003-1.bmp").unlink()
    save(apart[1] / "round" / "0003-1.png", RED, size=(14, 10))
    with pytest.raises(ConfigError, match=f"0003-1: .*{expected}"):
        Pairs([str(folder) for folder in apart], size=size)


def test_larger_partners_of_the_same_shape_will_do_where_both_are_resized(apart):
    (apart[1] / "round" / "0003-1.bmp").unlink()
    save(apart[1] / "round" / "0003-1.png", RED, size=(25, 21))
    assert Pairs([str(folder) for folder in apart], size=8).spec.shape == (3, 8, 8)


def test_mistakes_are_one_message(beside, apart, tmp_path):
    save(tmp_path / "odd" / "1.png", RED, size=(13, 10))
    save(tmp_path / "twice" / "0000-0.png", RED), save(tmp_path / "twice" / "0000-0.jpg", RED)
    (tmp_path / "empty").mkdir()
    a, b = map(str, apart)
    for root, words in (
        (None, r"data.root=\[A,B\]"),
        ([a], "expected one place, or two"),
        ([a, b, a], "found 3"),
        (str(tmp_path / "odd"), "1.png: 13 x 10 pixels: two pictures side by side have an even width"),
        ([str(tmp_path / "twice"), b], "0000-0.jpg and 0000-0.png have the same name"),
        ([a, str(tmp_path / "empty")], "no images"),
        ([a, str(tmp_path / "nowhere")], "there is no such folder"),
        ([str(tmp_path / "odd"), b], "0 names have a partner"),
    ):
        with pytest.raises(ConfigError, match=words):
            Pairs(root)


def groups(split):
    """Files of `apart` are numbered by their green; each group of the pattern has one."""
    return {green for _, green, _ in first_pixels(split.images)}


def test_a_share_is_held_out_by_groups(tmp_path):
    """Four files a group, of which none is in both splits; whatever is added, the others stay where they were."""
    for index in range(160):
        for side, colour in (("a", (255, index // 4, 0)), ("b", (0, index // 4, 255))):
            save(tmp_path / side / f"{index // 4:04x}-{index % 4}.png", colour, size=(8, 8))
    roots, options = [str(tmp_path / side) for side in "ab"], {"test_share": 0.3, "test_group": r"\w+"}
    data = Pairs(roots, **options)
    assert not groups(data.train) & groups(data.test) and len(groups(data.train) | groups(data.test)) == 40
    assert 4 <= len(groups(data.test)) <= 20 and len(data.test.images) == 4 * len(groups(data.test))
    assert groups(Folder(roots[1], **options).test) == groups(data.test)
    held = groups(data.test)
    for side in "ab":
        save(tmp_path / side / "00ff-0.png", (0, 200, 0), size=(8, 8))
    assert groups(Pairs(roots, **options).test) - {200} == held
    alone = Pairs(roots, test_share=0.3)
    assert groups(alone.train) & groups(alone.test)  # without a pattern every file is a group
    assert data.fingerprint != alone.fingerprint


def test_what_cannot_be_held_out_is_refused(beside, apart):
    a, b = map(str, apart)
    with pytest.raises(ConfigError, match="there is a test split already, val"):
        Pairs(str(beside), test_share=0.1)
    with pytest.raises(ConfigError, match="no regular expression"):
        Pairs([a, b], test_share=0.1, test_group="(")
    with pytest.raises(ConfigError, match="has no effect without data.test_share"):
        Pairs([a, b], test_group=r"\w+")
    with pytest.raises(ConfigError, match="takes 0 of 20 images"):
        Pairs([a, b], test_share=1e-9)


@pytest.fixture
def horses(tmp_path) -> Path:
    for index in range(5):
        save(tmp_path / "h2z" / "trainA" / f"{index}.jpg", RED)
        save(tmp_path / "h2z" / "trainB" / f"{index + 7}.png", BLUE)
    for index in range(2):
        save(tmp_path / "h2z" / "testA" / f"{index}.png", (255, 9 + index, 0))
    save(tmp_path / "h2z" / "testB" / "x.png", (0, 9, 255))
    return tmp_path / "h2z"


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped])
def test_unpaired_pictures_are_two_data_sets(horses, pack):
    data = Unpaired(str(pack(horses)))
    assert first_pixels(data.train.images) == [BLUE] * 5 and data.train.labels is None
    assert data.other.spec.shape == data.spec.condition.shape == (3, 10, 12) and data.other.spec.images == 5
    assert len(data.test.images) == 1 and len(data.other.test.images) == 2
    assert not data.aligned and data.name == "A_B"
    sources = data.conditions(data.examples, 0, 3)  # of the other's test pictures, in turn
    assert {round((value + 1) * 127.5) for value in sources[:2, 1, 0, 0].tolist()} == {9, 10}
    assert torch.equal(sources[2], sources[0])
    back = Unpaired(str(pack(horses)), direction="BtoA")
    assert first_pixels(back.other.train.images) == [BLUE] * 5 and back.fingerprint != data.fingerprint


def test_test_pictures_may_be_aligned(apart):
    roots = [str(folder) for folder in apart]
    data = Unpaired(roots, aligned=True, test_share=0.3, test_group=r"\w+")
    assert (
        data.aligned
        and groups(data.test) == groups(data.other.test)
        and groups(data.test) & groups(data.train) == set()
    )
    sources = data.conditions(data.examples, 0, len(data.test.images))
    assert torch.equal(((sources[:, 1] + 1) * 127.5).round().byte(), data.test.images[:, 1])  # green names the file
    assert {green for _, green, _ in first_pixels(data.other.train.images)} == groups(data.train)


def test_mistakes_of_unpaired_pictures(horses, apart):
    with pytest.raises(ConfigError, match="data.aligned=true: 0 test pictures have a partner .* 3 have none"):
        Unpaired(str(horses), aligned=True)
    with pytest.raises(ConfigError, match="no images in trainA"):
        Unpaired(str(apart[0]))
    with pytest.raises(ConfigError, match="trainA and trainB"):
        Unpaired(None)


def test_outputs_of_one_stem_keep_their_suffixes():
    assert name_outputs(["000.jpg", "000.png", "1.png"]) == {"000.jpg": "000.jpg", "000.png": "000.png", "1.png": "1"}
    with pytest.raises(ConfigError, match=r"000\.jpg, 000\.jpg\.png would have outputs of the same name"):
        name_outputs(["000.jpg", "000.jpg.png", "000.png"])
