"""The cache of decoded images: stored and mapped once, whole or not at all, and done without where it cannot be."""

import errno
import logging
import os
import shutil
import threading

import numpy as np
import pytest
import torch
from filelock import FileLock

from genlab.data.storage.cache import LabelsAndFacts, fill_once
from genlab.data.storage.content_hash import content_key
from genlab.data.storage.directories import data_folder

PIXELS = np.arange(5 * 3 * 4 * 6, dtype=np.uint8).reshape(5, 3, 4, 6)
LABELS = np.array([3, 1, 4, 1, 5])


class Fill:
    """Adds the pixels in two chunks, and counts how often it was asked to."""

    def __init__(self, labels=LABELS):
        self.calls, self.labels = 0, labels

    def __call__(self, add):
        self.calls += 1
        add(PIXELS[:3])
        add(PIXELS[3:])
        return LabelsAndFacts(self.labels, {"splits": {"train": 5}})


def entries(cache):
    return [path for path in (cache / "images").iterdir() if not path.name.endswith(".lock")]


def check(table, labels=LABELS):
    assert np.array_equal(table.images.numpy(), PIXELS) and table.images.dtype == torch.uint8
    assert table.labels is labels is None or np.array_equal(table.labels.numpy(), labels)
    assert table.facts == {"splits": {"train": 5}}


@pytest.mark.parametrize("labels", [LABELS, np.eye(5, 2, dtype=np.float32), None])
def test_an_entry_is_filled_once(cache, labels):
    fill = Fill(labels)
    first, second = fill_once({"a": 1}, fill), fill_once({"a": 1}, fill)
    check(first, labels)
    check(second, labels)
    assert fill.calls == 1 and first.key == second.key
    assert [path.name for path in entries(cache)] == [first.key]  # nothing temporary is left


def test_an_entry_that_is_deleted_while_it_is_used_or_filled_costs_nothing(cache):
    table = fill_once({"a": 1}, Fill())
    shutil.rmtree(cache)
    check(table)

    class Wiped(Fill):
        def __call__(self, add):
            shutil.rmtree(cache, ignore_errors=True)
            return super().__call__(add)

    check(fill_once({"a": 1}, Wiped()))
    check(fill_once({"a": 1}, Fill()))


def test_another_key_is_another_entry():
    fill = Fill()
    assert fill_once({"a": 1}, fill).key != fill_once({"a": 2}, fill).key
    assert fill.calls == 2


def test_pixels_are_mapped_not_loaded(cache):
    table = fill_once({}, Fill())
    with open(entries(cache)[0] / "images.bin", "r+b") as file:
        file.write(b"\xee")
    assert table.images[0, 0, 0, 0] == 0xEE


def test_no_warning_reaches_the_user(recwarn):
    fill_once({}, Fill())
    assert not recwarn.list


@pytest.mark.parametrize("name", ["images.bin", "labels.npy", "meta.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\x93NUMPY rubbish"])
def test_a_damaged_entry_is_filled_again(cache, name, content, caplog):
    fill = Fill()
    fill_once({}, fill)
    (entries(cache)[0] / name).write_bytes(content)
    check(fill_once({}, fill))
    assert fill.calls == 2 and "is damaged" in caplog.text
    check(fill_once({}, fill))
    assert fill.calls == 2


def test_half_an_entry_does_not_count(cache):
    fill = Fill()
    fill_once({}, fill)
    (entries(cache)[0] / "images.bin").unlink()
    check(fill_once({}, fill))
    assert fill.calls == 2


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, caplog):
    stored = fill_once({}, Fill())
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path / "file" / "cache"))
    table = fill_once({}, Fill())
    check(table)
    assert table.key == stored.key
    assert "cannot be written" in caplog.text and "GENLAB_CACHE" in caplog.text


def test_a_full_disk_is_done_without(cache, monkeypatch, caplog):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    check(fill_once({}, Fill()))
    assert "No space left on device" in caplog.text and not entries(cache)


def test_failures_of_the_images_are_not_the_caches(cache):
    def fill(add):
        add(PIXELS)
        raise OSError("the data's own disk")

    with pytest.raises(OSError, match="the data's own disk"):
        fill_once({}, fill)
    assert not entries(cache)


def together(fill):
    tables = []
    threads = [threading.Thread(target=lambda: tables.append(fill_once({}, fill))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tables


def test_of_two_at_once_one_fills(caplog):
    caplog.set_level(logging.INFO)
    begun = threading.Event()

    class Slow(Fill):
        def __call__(self, add):
            begun.wait(0.3)  # long enough for the other one to ask
            return super().__call__(add)

    fill = Slow()
    for table in together(fill):
        check(table)
    assert fill.calls == 1 and "waiting for it" in caplog.text


def test_without_locks_two_at_once_are_still_whole(monkeypatch):
    def no_locks(*_, **__):
        raise NotImplementedError("this file system has none")

    monkeypatch.setattr(FileLock, "acquire", no_locks)
    both = threading.Barrier(2)

    class Meeting(Fill):
        def __call__(self, add):
            both.wait(10)
            return super().__call__(add)

    tables = together(Meeting())
    assert len(tables) == 2
    for table in tables:
        check(table)


def test_data_lies_in_the_cache_unless_told_otherwise(cache, monkeypatch):
    assert data_folder() == cache / "data"
    monkeypatch.setenv("GENLAB_DATA", "/somewhere")
    assert str(data_folder()) == "/somewhere"


def entry(cache):
    (found,) = [path for path in entries(cache) if path.is_dir()]
    return found


@pytest.mark.parametrize("name", ["images.bin", "labels.npy", "meta.json", "checksums.json"])
def test_cut_and_flipped_files_are_noticed_wherever_the_damage_is(cache, name, caplog):
    fill, source = Fill(), np.random.default_rng(0)
    fill_once({}, fill)
    whole = (entry(cache) / name).read_bytes()
    for count, place in enumerate(source.integers(0, len(whole), 12), start=1):
        flipped = bytes([whole[place] ^ 1 << int(source.integers(8))])
        damaged = whole[:place] + (flipped + whole[place + 1 :] if count % 2 else b"")
        (entry(cache) / name).write_bytes(damaged)
        check(fill_once({}, fill))
        assert fill.calls == 1 + count
    assert caplog.text.count("is damaged") == count


def test_an_entry_without_checksums_is_of_an_older_version_and_filled_again(cache, caplog):
    fill = Fill()
    fill_once({}, fill)
    (entry(cache) / "checksums.json").unlink()
    check(fill_once({}, fill))
    assert fill.calls == 2 and "is damaged" not in caplog.text


def test_a_file_in_place_of_an_entry_is_replaced(cache):
    fill = Fill()
    path = cache / "images" / fill_once({}, fill).key
    shutil.rmtree(path)
    path.touch()
    check(fill_once({}, fill))
    check(fill_once({}, fill))
    assert fill.calls == 2


def test_parts_that_killed_processes_left_are_removed_and_others_stay(cache):
    folder = cache / "images"
    key = fill_once({"a": 1}, Fill()).key
    dead, alive = f".{'a' * 64}-00000000", f".{'b' * 64}-00000000"
    for name in (dead, alive, f".{key}-00000000", "seen", ".mine-00000000"):
        (folder / name).mkdir()
    (folder / key / "images.bin").unlink()
    with FileLock(folder / f"{'b' * 64}.lock"):  # which another process is writing
        check(fill_once({"a": 1}, Fill()))
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {key, alive, "seen", ".mine-00000000"}


@pytest.mark.parametrize(
    ("facts", "before", "after", "calls"),
    [
        ({}, [1], [2], 1),
        ({"skipped": {}}, [1], [2], 1),
        ({"skipped": {"a": "cut"}}, [1], [1], 1),
        ({"skipped": {"a": "cut"}}, [1], [2], 2),
        ({"skipped": {"a": "no network"}, "passing": True}, [1], [1], 2),
    ],
)
def test_a_verdict_on_bad_files_holds_as_long_as_they_are_the_same(facts, before, after, calls):
    class Skip(Fill):
        def __call__(self, add):
            return super().__call__(add)._replace(facts=facts)

    fill = Skip()
    fill_once({}, fill, stamp=before)
    fill_once({}, fill, stamp=after)
    assert fill.calls == calls


def test_a_damaged_note_of_contents_is_written_again(cache, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"content")
    key = content_key({"a": path})
    (note,) = (cache / "images" / "seen").iterdir()
    for damage in (b"", b"\xff", key.encode(), b"0" + note.read_bytes()[1:], b"x" * 5_000):
        note.write_bytes(damage)
        assert content_key({"a": path}) == key
        assert note.read_text().startswith(key)
