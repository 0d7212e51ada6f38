"""Folders and zips of images: what they become, and what every kind of bad file says."""

import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data.sets.folder import Folder
from genlab.data.stream import Stream

COLOURS = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}  # sorted, as classes are


def save(path: Path, colour, size=(12, 10), mode="RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Four images of each colour, 10 high and 12 wide."""
    for name, colour in COLOURS.items():
        for index in range(4):
            save(tmp_path / "images" / name / f"{index}.png", colour)
    (tmp_path / "images" / "README.txt").write_text("no image")
    return tmp_path / "images"


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return path


def check(data) -> None:
    assert data.class_names == list(COLOURS) and data.spec.class_count == 3
    assert data.spec.shape == (3, 10, 12) and data.spec.images == 12
    assert data.train.labels.bincount().tolist() == [4, 4, 4] and data.train.labels.dtype == torch.int64
    expected = torch.tensor(list(COLOURS.values()), dtype=torch.uint8)[data.train.labels]
    assert torch.equal(data.train.images, expected[:, :, None, None].expand(-1, -1, 10, 12))


def test_subfolders_are_classes(folder):
    data = Folder(str(folder))
    check(data)
    assert data.name == "images" and data.test is None and data.holdout is None and not data.flip


def test_a_zip_is_the_same(folder):
    data = Folder(str(zipped(folder)))
    check(data)
    assert torch.equal(data.train.images, Folder(str(folder)).train.images)


def decoded(monkeypatch) -> list[str]:
    """Names that are decoded from now on."""
    from genlab.data.storage import decoder

    names, content = [], decoder.read_file
    monkeypatch.setattr(decoder, "read_file", lambda source, name: names.append(name) or content(source, name))
    return names


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped])
def test_a_folder_is_decoded_once(folder, pack, monkeypatch):
    names = decoded(monkeypatch)
    first, second = Folder(str(pack(folder))), Folder(str(pack(folder)))
    assert len(names) == 12 + 1  # and a header, for the number of channels
    assert first.fingerprint == second.fingerprint
    check(second)


def test_a_copy_elsewhere_is_not_decoded_again(folder, tmp_path, monkeypatch):
    first = Folder(str(folder))
    names = decoded(monkeypatch)
    assert Folder(str(folder.rename(tmp_path / "moved"))).fingerprint == first.fingerprint and not names


def test_a_changed_file_is_noticed(folder):
    before = Folder(str(folder))
    save(folder / "red" / "0.png", (1, 2, 3))
    after = Folder(str(folder))
    assert after.fingerprint != before.fingerprint
    assert not torch.equal(after.train.images, before.train.images)


def test_a_renamed_file_is_noticed(folder):
    before = Folder(str(folder)).fingerprint
    (folder / "red" / "0.png").rename(folder / "blue" / "9.png")
    assert Folder(str(folder)).fingerprint != before


@pytest.mark.parametrize("change", [{"size": 8}, {"channels": 1}, {"limit": 5}, {"holdout": 2}])
def test_options_change_the_fingerprint(folder, change):
    assert Folder(str(folder), **change).fingerprint != Folder(str(folder)).fingerprint


def test_size_and_channels(folder):
    data = Folder(str(folder), size=8, channels=1)
    assert data.spec.shape == (1, 8, 8)
    luma = torch.tensor([0.114 * 255, 0.587 * 255, 0.299 * 255])[data.train.labels]  # ITU-R BT.601
    assert (data.train.images.float() - luma[:, None, None, None]).abs().max() <= 1


def test_channels_are_one_if_every_file_is_grey(tmp_path):
    save(tmp_path / "a.png", 7, mode="L")
    save(tmp_path / "b.png", (8, 255), mode="LA")
    assert Folder(str(tmp_path)).spec.shape == (1, 10, 12)
    save(tmp_path / "c.png", (1, 2, 3))
    assert Folder(str(tmp_path)).spec.shape == (3, 10, 12)


def test_without_subfolders_there_are_no_classes(tmp_path):
    save(tmp_path / "a.png", (1, 2, 3))
    data = Folder(str(tmp_path))
    assert data.train.labels is None and data.spec.class_count is None and data.class_names == []


def test_train_and_test_folders_are_splits(tmp_path):
    for split, count in (("train", 3), ("val", 2)):
        for name, colour in COLOURS.items():
            for index in range(count):
                save(tmp_path / split / name / f"{index}.jpg", colour)
    data = Folder(str(tmp_path))
    assert len(data.train.images) == 9 and len(data.test.images) == 6
    assert data.test.labels.bincount().tolist() == [2, 2, 2]
    assert data.reference("test").fingerprint() != data.fingerprint


def test_an_unlabelled_test_split(tmp_path):
    for name, colour in COLOURS.items():
        save(tmp_path / "train" / name / "0.png", colour)
    save(tmp_path / "val" / "0.png", (1, 2, 3))
    assert Folder(str(tmp_path)).test.labels is None


def test_limit_and_holdout(folder):
    whole, data = Folder(str(folder)), Folder(str(folder), limit=5, holdout=2)
    assert torch.equal(data.train.images, whole.train.images[:5])
    assert torch.equal(data.holdout.images, whole.train.images[10:])
    assert data.spec.images == 5 and data.spec.class_count == 3
    with pytest.raises(ConfigError, match=r"data\.limit=11 data\.holdout=2: 10 of the 12 training images of images"):
        Folder(str(folder), limit=11, holdout=2)


def test_labelled_keeps_few_labels(folder):
    data = Folder(str(folder), labelled=3)
    assert (data.train.labels >= 0).sum() == 3 and data.fingerprint != Folder(str(folder)).fingerprint


def test_training_reads_batches_from_the_file(folder):
    data = Folder(str(folder))
    device = torch.device("cpu")
    stream = Stream(data.train, seed=0, condition=data.spec.condition, device=device)
    assert stream.images.data_ptr() == data.train.images.data_ptr()
    draws = Draws((0, "d"), 6, 0, 6, device)
    images, labels = stream.batch("d", 0, draws), stream.labels("d", 0, draws)
    expected = torch.tensor(list(COLOURS.values()))[labels] / 127.5 - 1
    assert torch.allclose(images, expected[:, :, None, None].expand_as(images))


def test_hidden_files_are_skipped(folder):
    for name in ("._0.png", ".cache/0.png", "__MACOSX/0.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"rubbish")
    check(Folder(str(folder)))
    check(Folder(str(zipped(folder))))


def test_members_may_begin_with_a_dot_and_a_slash(folder):
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.png"):
            archive.writestr(zipfile.ZipInfo(f"./{file.relative_to(folder)}"), file.read_bytes())
    check(Folder(str(path)))


def test_links_are_followed_and_circles_end(folder, tmp_path):
    (tmp_path / "linked").mkdir()
    for name in COLOURS:
        (tmp_path / "linked" / name).symlink_to(folder / name, target_is_directory=True)
    (folder / "red" / "circle").symlink_to(tmp_path / "linked", target_is_directory=True)
    check(Folder(str(tmp_path / "linked")))


def test_a_cache_that_cannot_be_written_is_done_without(folder, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("GENLAB_CACHE", str(folder / "README.txt" / "cache"))
    check(Folder(str(folder)))
    assert "held in memory" in caplog.text


def test_different_sizes_need_a_size(folder):
    save(folder / "red" / "other.png", (255, 0, 0), size=(20, 10))
    with pytest.raises(ConfigError, match=r"(?s)images of different sizes: .*20 x 10.*Set data\.size="):
        Folder(str(folder))
    assert Folder(str(folder), size=8).spec.images == 13


@pytest.fixture
def spoilt(folder) -> Path:
    """One file of each bad kind beside the good ones."""
    (folder / "red" / "empty.png").touch()
    (folder / "red" / "text.jpg").write_text("<html>404</html>")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8))
    noise.save(folder / "red" / "cut.png")
    os.truncate(folder / "red" / "cut.png", 1_000)
    save(folder / "blue" / "tiny.png", (0, 0, 255), size=(7, 30))
    save(folder / "blue" / "huge.png", 1, size=(10_000, 9_000), mode="1")
    (folder / "blue" / "gone.png").symlink_to(folder / "nowhere")
    return folder


REASONS = {
    "red/empty.png": "empty file",
    "red/text.jpg": "no image",
    "red/cut.png": "truncated or corrupt",
    "blue/tiny.png": "7 x 30 pixels, less than 8",
    "blue/huge.png": "10000 x 9000 pixels, more than 33,554,432",
    "blue/gone.png": "cannot be read",
}


def test_all_bad_files_are_named_at_once(spoilt):
    with pytest.raises(ConfigError) as error:
        Folder(str(spoilt))
    message = str(error.value)
    assert "6 of 18 images cannot be used" in message and "data.on_error=skip" in message
    for name, reason in REASONS.items():
        assert f"{name}: {reason}" in message


def test_of_many_bad_files_the_first_are_named(folder):
    for index in range(14):
        (folder / "red" / f"bad{index:02}.png").touch()
    with pytest.raises(ConfigError) as error:
        Folder(str(folder))
    assert "14 of 26" in str(error.value) and str(error.value).count("empty file") == 10
    assert "and 4 more" in str(error.value)


def test_bad_files_can_be_skipped(spoilt, caplog, monkeypatch):
    names = decoded(monkeypatch)
    for _ in range(2):
        with pytest.raises(ConfigError, match="6 of 18"):
            Folder(str(spoilt))
    for _ in range(2):  # it is said at every load
        caplog.clear()
        check(Folder(str(spoilt), on_error="skip"))
        assert "6 of 18 images are left out" in caplog.text and "red/empty.png: empty file" in caplog.text
    assert len(names) <= 18 + 2  # decoded by the first one alone; and headers, for the number of channels


def test_nothing_but_bad_files_is_an_error_anyway(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(ConfigError, match="1 of 1 images cannot be used"):
        Folder(str(tmp_path), on_error="skip")


def test_bad_members_of_a_zip_are_named(folder):
    path = zipped(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("red/empty.png", b"")
        archive.writestr("red/locked.png", (folder / "red" / "0.png").read_bytes())
        archive.writestr("red/crc.png", b"0123456789" * 9)
    content = bytearray(path.read_bytes().replace(b"0123456789", b"012345678x", 1))
    entry = content.rindex(b"PK\1\2", 0, content.rindex(b"red/locked.png"))
    content[entry + 8] |= 1  # encrypted
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="3 of 15") as error:
        Folder(str(path))
    assert "red/empty.png: empty file" in str(error.value)
    assert "red/crc.png: cannot be read: Bad CRC" in str(error.value)
    assert "red/locked.png: cannot be read" in str(error.value) and "encrypted" in str(error.value)


def test_a_member_that_unpacks_to_too_much_is_named(folder, monkeypatch):
    monkeypatch.setattr("genlab.data.storage.decoder.MAX_BYTES", 50_000)
    path = zipped(folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("red/bomb.png", bytes(50_001))
    with pytest.raises(ConfigError, match=r"red/bomb\.png: 50,001 bytes, more than 50,000"):
        Folder(str(path))


def link() -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("red/link.png")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    "member", ["../out.png", "/etc/out.png", "red/../../out.png", "..\\out.png", "C:/out.png", link()]
)
def test_members_that_lead_out_of_the_archive_are_refused(folder, member):
    path = zipped(folder)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, b"/etc/passwd")
    with pytest.raises(ConfigError, match=r"1 of its members lead out of the archive .*(out|link)\.png"):
        Folder(str(path), on_error="skip")


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: zipfile.ZipFile(path, "w").close()])
def test_a_folder_without_images_is_refused(tmp_path, make):
    make(tmp_path / "empty")
    with pytest.raises(ConfigError, match=r"data\.root=.*no images among 0 files; expected \.png, \.jpg"):
        Folder(str(tmp_path / "empty"))


def test_other_files_are_counted(tmp_path):
    np.save(tmp_path / "images.npy", np.zeros(3))
    with pytest.raises(ConfigError, match="no images among 1 files"):
        Folder(str(tmp_path))


def test_roots_without_a_folder_or_zip_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no such folder or file"):
        Folder(str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match=r"data\.root=null: name the folder or zip"):
        Folder()
    (tmp_path / "data.tar").write_bytes(os.urandom(100))
    with pytest.raises(ConfigError, match="neither a folder nor a zip archive"):
        Folder(str(tmp_path / "data.tar"))


def test_the_verdict_on_a_damaged_zip_ends_when_it_is_replaced(folder):
    path = zipped(folder)
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[whole.index(b"IDAT") + 8] ^= 255  # of one picture; the archive's directory is that of the whole one
    path.write_bytes(damaged)
    assert Folder(str(path), on_error="skip").spec.images == 11
    path.write_bytes(whole)
    assert Folder(str(path), on_error="skip").spec.images == 12
