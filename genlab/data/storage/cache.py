"""Decoded images, kept between runs in a folder of the user's and mapped into memory when they are read.

An entry is a folder that was written beside its place and renamed: `images.bin` (raw uint8), `labels.npy`, `meta.json`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
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
    """What an entry holds."""

    key: str
    images: Tensor  # uint8 [N, C, H, W]; never written to: it may be a file
    labels: Tensor | None  # int64 [N] or float32 [N, K]
    facts: dict[str, Any]  # whatever else belongs to it, as JSON


class Rest(NamedTuple):
    """What `fill` returns once it has added every image."""

    labels: np.ndarray | None
    facts: dict[str, Any]


Add = Callable[[np.ndarray], None]  # takes uint8 [n, C, H, W]: the next rows
Fill = Callable[[Add], Rest]


class Unwritable(Exception):
    """The cache cannot be written; the images themselves are not to blame."""


def cached(key: dict[str, Any], fill: Fill) -> Table:
    """The table stored under `key`, or filled and stored; held in memory, with a warning, if it cannot be stored.

    `key` names all that the pixels depend on. Of several processes that ask at once, one fills and the others wait.
    """
    name = hashlib.sha256(json.dumps({"format": FORMAT, **key}, sort_keys=True).encode()).hexdigest()
    folder = cache_folder() / "images" / name
    found = _load(folder)
    if found is not None:
        return found
    try:
        with _alone(folder):
            return _load(folder) or _stored(folder, fill)
    except Unwritable as error:
        log.warning(
            "%s cannot be written (%s): the images are decoded for this run only and held in memory. "
            "Set GENLAB_CACHE to a folder that can be written.",
            folder.parent,
            error,
        )
        return _held(name, fill)


def _load(folder: Path) -> Table | None:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        images = _mapped(folder / "images.bin", tuple(meta["shape"]))
        labels = torch.from_numpy(np.load(folder / "labels.npy")) if meta["labelled"] else None
        return Table(folder.name, images, labels, meta["facts"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is damaged (%s): the images are decoded again.", folder, error)
        return None


def _mapped(path: Path, shape: tuple[int, ...]) -> Tensor:
    """Pages are read when they are touched, and shared by all processes."""
    if path.stat().st_size != math.prod(shape):
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes instead of {math.prod(shape)}")
    pixels = np.memmap(path, np.uint8, "r", shape=shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that the tensor must not be written to
        return torch.from_numpy(pixels)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Under a lock, where the file system has locks; elsewhere the last rename wins, with the same content."""
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


def _stored(folder: Path, fill: Fill) -> Table:
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
        if not folder.exists():  # else another process, which has no lock, was faster
            raise Unwritable(str(error)) from error


def _write(part: Path, fill: Fill) -> None:
    """Raises Unwritable for the cache's failures; those of `fill` pass through."""
    with _unwritable():
        part.mkdir()
    rows = _Rows(part / "images.bin")
    labels, facts = fill(rows)
    meta = {"shape": rows.shape, "labelled": labels is not None, "facts": facts}
    with _unwritable():
        rows.flush()
        if labels is not None:
            np.save(part / "labels.npy", labels)
        (part / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


def _held(name: str, fill: Fill) -> Table:
    """The same table, in memory alone."""
    chunks: list[np.ndarray] = []
    labels, facts = fill(chunks.append)
    pixels = torch.from_numpy(np.concatenate(chunks))
    return Table(name, pixels, None if labels is None else torch.from_numpy(labels), facts)


class _Rows:
    """Appends rows to a file, and counts them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape: list[int] = [0]

    def __call__(self, rows: np.ndarray) -> None:
        with _unwritable(), open(self.path, "ab") as file:
            file.write(np.ascontiguousarray(rows))
        self.shape = [self.shape[0] + len(rows), *rows.shape[1:]]

    def flush(self) -> None:
        """On to the disk: a crash after the rename must not leave an entry with holes."""
        with open(self.path, "ab") as file:
            os.fsync(file.fileno())


@contextmanager
def _unwritable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unwritable(str(error)) from error
