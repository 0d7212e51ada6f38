"""Cache of decoded images, in a folder of the user's, mapped into memory when they are read.

An entry is a folder, written under another name and renamed: `images.bin` (raw uint8), `labels.npy`, `meta.json`.
"""

import hashlib
import json
import logging
import math
import os
import shutil
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from genlab.data.storage.directories import cache_folder

log = logging.getLogger(__name__)

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


def fill_once(key: dict[str, Any], fill: Fill, *, facts: Collection[str] = ()) -> Table:
    """Return the table stored under `key`, or fill and store it; if it cannot be stored, keep it in memory and warn.

    `key` holds all that the pixels depend on. Of several processes at once, one fills and the others wait. An entry
    of an older version, which lacks some of the `facts`, is filled again.
    """
    name = hashlib.sha256(json.dumps({"format": FORMAT, **key}, sort_keys=True).encode()).hexdigest()
    folder = cache_folder() / "images" / name
    found = _load(folder, facts)
    if found is not None:
        return found
    try:
        with _lock_entry(folder):
            return _load(folder, facts) or _fill_entry(folder, fill)
    except Unwritable as error:
        log.warning(
            "%s cannot be written (%s): the images are decoded for this run only and held in memory. "
            "Set GENLAB_CACHE to a folder that can be written.",
            folder.parent,
            error,
        )
        return _fill_memory(name, fill)


def _load(folder: Path, facts: Collection[str] = ()) -> Table | None:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        if not set(facts) <= set(meta["facts"]):
            return None
        images = _map_file(folder / "images.bin", tuple(meta["shape"]))
        labels = torch.from_numpy(np.load(folder / "labels.npy")) if meta["labelled"] else None
        return Table(folder.name, images, labels, meta["facts"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is damaged (%s): the images are decoded again.", folder, error)
        return None


def _map_file(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Map a file into memory: pages are read when touched, and shared by all processes."""
    if path.stat().st_size != math.prod(shape):
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes instead of {math.prod(shape)}")
    pixels = np.memmap(path, np.uint8, "r", shape=shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that the tensor must not be written to
        return torch.from_numpy(pixels)


@contextmanager
def _lock_entry(folder: Path) -> Iterator[None]:
    """Lock an entry if the file system has locks; else the last rename wins, with the same content."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(str(error)) from error
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.info("another process is decoding the same images: waiting for it")
        lock.acquire()
    except (OSError, NotImplementedError):
        log.debug("no lock on %s", folder.parent)
    try:
        yield
    finally:
        lock.release()


def _fill_entry(folder: Path, fill: Fill) -> Table:
    part = folder.with_name(f".{folder.name}-{uuid4().hex[:8]}")
    try:
        _write(part, fill)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged entry
        _publish(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    found = _load(folder)
    if found is None:
        raise Unwritable("what was written cannot be read back")
    return found


def _publish(part: Path, folder: Path) -> None:
    try:
        os.rename(part, folder)
    except OSError as error:
        if not folder.exists():  # else another process without a lock was faster
            raise Unwritable(str(error)) from error


def _write(part: Path, fill: Fill) -> None:
    """Write an entry. Raises Unwritable for failures of the cache; those of `fill` pass through."""
    with _raise_unwritable():
        part.mkdir()
    rows = _RowWriter(part / "images.bin")
    labels, facts = fill(rows)
    meta = {"shape": rows.shape, "labelled": labels is not None, "facts": facts}
    with _raise_unwritable():
        rows.flush()
        if labels is not None:
            np.save(part / "labels.npy", labels)
        (part / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


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
