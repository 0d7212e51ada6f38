"""Cache of decoded images, in a folder of the user's, mapped into memory when they are read.

An entry is a folder, written under another name and renamed: `images.bin` (raw uint8), `labels.npy`, `meta.json`, and
`checksums.json`, by which every byte of the others is checked whenever the entry is opened. Measured on two busy CPU
cores, opening takes 0.03 s for 12,000 pictures of 32 x 32 (35 MiB) and 0.1 s for 5,000 of 64 x 64 (59 MiB).
"""

import hashlib
import json
import logging
import math
import os
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.core.foreign_files import parse_json, read_text
from genlab.data.storage.directories import cache_folder
from genlab.data.storage.parts import (
    CHECKSUMS,
    lock_entry,
    part_of,
    remove_path,
    remove_stale_parts,
    require_checksums,
    write_checksums,
)

log = logging.getLogger(__name__)

MAX_META_BYTES = 2**30  # the names of millions of bad files; its checksum is right
FORMAT = 1  # raise it when the same files would be decoded to other pixels


class Table(NamedTuple):
    """Decoded images with their labels and facts: the content of an entry."""

    key: str
    images: Tensor  # uint8 [N, C, H, W]; read-only: it may be a mapped file
    labels: Tensor | None  # int64 [N] or float32 [N, K]
    facts: dict[str, Any]  # all else, as JSON


class LabelsAndFacts(NamedTuple):
    """Result of a `Fill` once it has added every image."""

    labels: np.ndarray | None
    facts: dict[str, Any]


Add = Callable[[np.ndarray], None]  # takes uint8 [n, C, H, W]: the next rows
Reader = Callable[[str], np.ndarray]  # a name -> uint8 [C, H, W]; raises Unusable
Fill = Callable[[Add], LabelsAndFacts]


class Unwritable(Exception):
    """The cache cannot be written, for no fault of the images."""


def fill_once(
    key: dict[str, Any],  # all that the pixels depend on
    fill: Fill,
    *,
    facts: Collection[str] = (),  # that an entry of today's version has
    stamp: Sequence[int] = (),  # of the files, where damaged and whole ones may have the same key
) -> Table:
    """Return the table stored under `key`, or fill and store it; if it cannot be stored, keep it in memory and warn.

    Of several processes at once, one fills and the others wait. An entry of an older version, which lacks checksums or
    some of the `facts`, is filled again; so is a damaged one, with a warning, and one that leaves out bad files of
    another stamp, or files that could not be read for a time.
    """
    name = hashlib.sha256(json.dumps({"format": FORMAT, **key}, sort_keys=True).encode()).hexdigest()
    folder = cache_folder() / "images" / name
    found = _load(folder, facts, stamp, logging.DEBUG)  # what is damaged is said once, under the lock
    if found is not None:
        return found
    try:
        with _locked(folder):
            return _load(folder, facts, stamp) or _fill_entry(folder, fill, stamp)
    except Unwritable as error:
        log.warning(
            "%s cannot be written (%s): the images are decoded for this run only and held in memory. "
            "Set GENLAB_CACHE to a folder that can be written.",
            folder.parent,
            error,
        )
        return _fill_memory(name, fill)


def _load(folder: Path, facts: Collection[str], stamp: Sequence[int], level: int = logging.WARNING) -> Table | None:
    """Return an entry; None for none, an outdated one, and with a message of that level for a damaged one."""
    if not (folder / CHECKSUMS).exists():
        return None
    try:
        meta, table = _open(folder)
    except Exception as error:  # damaged files raise nearly anything
        log.log(level, "%s is damaged (%s): the images are decoded again.", folder, error)
        return None
    return table if set(facts) <= set(table.facts) and _still_holds(meta, stamp) else None


def _open(folder: Path) -> tuple[dict[str, Any], Table]:
    """Return an entry's meta.json and its table, after a check of every byte. Raises any error for a damaged one."""
    require_checksums(folder, ("images.bin", "meta.json"))
    meta = parse_json(read_text(folder / "meta.json", MAX_META_BYTES), MAX_META_BYTES)
    images = _map_file(folder / "images.bin", tuple(meta["shape"]))
    labels = torch.from_numpy(np.load(folder / "labels.npy")) if meta["labelled"] else None
    return meta, Table(folder.name, images, labels, meta["facts"])


def _still_holds(meta: dict[str, Any], stamp: Sequence[int]) -> bool:
    """Tell whether the files that an entry leaves out are still bad, as far as their stamp says."""
    facts = meta["facts"]
    return not facts.get("skipped") or (not facts.get("passing") and meta["stamp"] == list(stamp))


def _map_file(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Map a file into memory: pages are read when touched, and shared by all processes."""
    if path.stat().st_size != math.prod(shape):
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes instead of {math.prod(shape)}")
    pixels = np.memmap(path, np.uint8, "r", shape=shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that the tensor must not be written to
        return torch.from_numpy(pixels)


def _fill_entry(folder: Path, fill: Fill, stamp: Sequence[int]) -> Table:
    part = part_of(folder)
    try:
        _write(part, fill, stamp)
        table = _reopen(part)  # before it is renamed: without locks another process may replace it at once
        remove_path(folder)  # a damaged entry
        _publish(part, folder)
    finally:
        remove_path(part)
    return table._replace(key=folder.name)


def _reopen(part: Path) -> Table:
    try:
        return _open(part)[1]
    except Exception as error:
        raise Unwritable(f"what was written cannot be read back: {error}") from error


def _publish(part: Path, folder: Path) -> None:
    try:
        os.rename(part, folder)
    except OSError as error:
        if not folder.exists():  # else another process without a lock was faster
            raise Unwritable(str(error)) from error


def _write(part: Path, fill: Fill, stamp: Sequence[int]) -> None:
    """Write an entry. Raises Unwritable for failures of the cache; those of `fill` pass through."""
    with _raise_unwritable():
        part.mkdir()
    rows = _RowWriter(part / "images.bin")
    labels, facts = fill(rows)
    meta = {"shape": rows.shape, "labelled": labels is not None, "facts": facts, "stamp": list(stamp)}
    with _raise_unwritable():
        rows.flush()
        if labels is not None:
            np.save(part / "labels.npy", labels)
        (part / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        write_checksums(part)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock an entry, and remove what killed processes left. Raises Unwritable without a folder."""
    with ExitStack() as stack:
        with _raise_unwritable():
            busy = "another process is decoding the same images: waiting for it"
            if stack.enter_context(lock_entry(folder, busy)):
                remove_stale_parts(folder)
        yield


def _fill_memory(name: str, fill: Fill) -> Table:
    chunks: list[np.ndarray] = []
    labels, facts = fill(chunks.append)
    pixels = torch.from_numpy(np.concatenate(chunks))
    return Table(name, pixels, None if labels is None else torch.from_numpy(labels), facts)


class _RowWriter:
    """Appends rows to a file, and counts them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape: list[int] = [0]

    def __call__(self, rows: np.ndarray) -> None:
        with _raise_unwritable(), open(self.path, "ab") as file:
            file.write(np.ascontiguousarray(rows))
        self.shape = [self.shape[0] + len(rows), *rows.shape[1:]]

    def flush(self) -> None:
        """Flush to the disk: a crash after the rename must not leave an entry with holes."""
        with open(self.path, "ab") as file:
            os.fsync(file.fileno())


@contextmanager
def _raise_unwritable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unwritable(str(error)) from error
