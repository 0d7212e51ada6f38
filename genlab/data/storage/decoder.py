"""Decode many image files in parallel into the rows of a table. Imports Pillow."""

import logging
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from genlab.core.errors import ConfigError
from genlab.data.storage.archives import FileSource
from genlab.data.storage.cache import Add, Reader
from genlab.data.storage.findings import Findings
from genlab.data.storage.image_file import PixelRule, Unusable, read_picture

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 2**29  # bytes
CHUNK_FILES = 64  # decoded before they are added to the table
LOG_INTERVAL = 15.0  # seconds between messages on the progress


def picture_reader(source: FileSource, rule: PixelRule, findings: Findings | None = None) -> Reader:
    return lambda name: read_picture(read_file(source, name), rule, findings)


class PixelRange:
    """The lowest and highest value of each channel of many pictures, and whether all are equal."""

    def __init__(self) -> None:
        self.low: np.ndarray | None = None  # uint8 [C]
        self.high: np.ndarray | None = None
        self.first: np.ndarray | None = None  # a picture
        self.alike = True

    def extend(self, rows: np.ndarray) -> None:
        """Take in pictures uint8 [n, C, H, W]."""
        low, high = rows.min((0, 2, 3)), rows.max((0, 2, 3))
        if self.low is None or self.high is None:
            self.low, self.high, self.first = low, high, rows[0]
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
        self.alike = self.alike and bool((rows == self.first).all())

    def facts(self) -> dict[str, object]:
        found = [] if self.low is None or self.high is None else [self.low.tolist(), self.high.tolist()]
        return {"range": found, "alike": self.alike}


class Decoder:
    """Adds decoded pictures to a table, and records the files that cannot be decoded."""

    def __init__(self, read: Reader, add: Add, *, label: str) -> None:
        self.read, self.add, self.label = read, add, label
        self.bad: dict[str, str] = {}  # name -> reason
        self.first: tuple[str, tuple[int, ...]] | None = None  # name and shape that all others must have
        self.seen = PixelRange()  # of the pictures added by the last call of `store`

    def store(self, names: Sequence[str]) -> list[str]:
        """Add all decodable pictures; return their names in order. Raises ConfigError if they differ in size."""
        stored: list[str] = []
        self.seen = PixelRange()
        next_log = time.monotonic() + LOG_INTERVAL
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd files; unusable ones are refused here
            for chunk, results in self._decode_chunks(names):
                stored += self._store_chunk(chunk, results)
                if time.monotonic() > next_log:
                    log.info("%s: decoded %s of %s images", self.label, f"{len(stored):,}", f"{len(names):,}")
                    next_log = time.monotonic() + LOG_INTERVAL
        return stored

    def _decode_chunks(self, names: Sequence[str]) -> Iterator[tuple[Sequence[str], list[np.ndarray | Unusable]]]:
        with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:  # Pillow releases Python's lock
            for start in range(0, len(names), CHUNK_FILES):
                chunk = names[start : start + CHUNK_FILES]
                yield chunk, list(pool.map(self._try_to_read, chunk))

    def _try_to_read(self, name: str) -> np.ndarray | Unusable:
        try:
            return self.read(name)
        except Unusable as reason:
            return reason

    def _store_chunk(self, names: Sequence[str], results: list[np.ndarray | Unusable]) -> list[str]:
        self.bad |= {name: str(found) for name, found in zip(names, results, strict=True) if is_unusable(found)}
        good = [(name, found) for name, found in zip(names, results, strict=True) if not is_unusable(found)]
        for name, pixels in good:
            self._check_shape(name, pixels.shape)
        if good:
            rows = np.stack([pixels for _, pixels in good])
            self.seen.extend(rows)
            self.add(rows)
        return [name for name, _ in good]

    def _check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        self.first = self.first or (name, shape)
        other, expected = self.first
        if shape != expected:
            raise ConfigError(
                f"{self.label}: images of different sizes: {name} is {shape[2]} x {shape[1]}, "
                f"{other} is {expected[2]} x {expected[1]}. Set data.size=PIXELS to crop and resize them all."
            )


def is_unusable(found: np.ndarray | Unusable) -> bool:
    return isinstance(found, Unusable)


def read_file(source: FileSource, name: str) -> bytes:
    """Return a file's bytes, after a check of its size. Raises Unusable."""
    try:
        size = source.size(name)
        if size == 0:
            raise Unusable("empty file")
        if size > MAX_FILE_BYTES:
            raise Unusable(f"{size:,} bytes, more than {MAX_FILE_BYTES:,}")
        return source.read(name)
    except (MemoryError, Unusable):
        raise
    except Exception as error:  # a damaged, locked or strangely packed archive member raises nearly anything
        raise Unusable(f"cannot be read: {error}") from error
