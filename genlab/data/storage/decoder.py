"""Decode many image files in parallel into the rows of a table. Imports Pillow."""

import logging
import math
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from genlab.core.errors import ConfigError
from genlab.core.picture_file import BYTES, MAX_BYTES
from genlab.data.storage.archives import FileSource
from genlab.data.storage.cache import Add, Reader
from genlab.data.storage.content_hash import is_lasting
from genlab.data.storage.findings import Findings
from genlab.data.storage.image_file import PixelRule, Unusable, read_picture

log = logging.getLogger(__name__)

CHUNK_FILES = 64  # at most, decoded before they are added to the table
CHUNK_BYTES = 2**26  # of their pixels, at most, unless one alone has more
LOG_INTERVAL = 15.0  # seconds between messages on the progress


def picture_reader(source: FileSource, rule: PixelRule, findings: Findings | None = None) -> Reader:
    """Return the reader of a source's pictures; files that are read at the same time fit into memory together."""

    def read(name: str) -> np.ndarray:
        with BYTES.take(size_of(source, name)):
            return read_picture(read_file(source, name), rule, findings)

    return read


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
        self.passing = False  # whether some may be readable at the next start
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
            start = 0
            while start < len(names):
                chunk = names[start : start + self._chunk_files()]
                yield chunk, list(pool.map(self._try_to_read, chunk))
                start += len(chunk)

    def _chunk_files(self) -> int:
        """Return how many files are decoded at a time: one until the size of pictures is known."""
        if self.first is None:
            return 1
        return max(1, min(CHUNK_FILES, CHUNK_BYTES // math.prod(self.first[1])))

    def _try_to_read(self, name: str) -> np.ndarray | Unusable:
        try:
            pixels = self.read(name)
        except Unusable as reason:
            self.passing = self.passing or not is_lasting(reason.__cause__)
            return reason
        self._check_shape(name, pixels.shape)  # here already: a chunk of others would fill the memory
        return pixels

    def _store_chunk(self, names: Sequence[str], results: list[np.ndarray | Unusable]) -> list[str]:
        self.bad |= {name: str(found) for name, found in zip(names, results, strict=True) if is_unusable(found)}
        good = [(name, found) for name, found in zip(names, results, strict=True) if not is_unusable(found)]
        if good:
            self.first = self.first or (good[0][0], good[0][1].shape)
            rows = np.stack([pixels for _, pixels in good])
            self.seen.extend(rows)
            self.add(rows)
        return [name for name, _ in good]

    def _check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        other, expected = self.first or (name, shape)
        if shape != expected:
            raise ConfigError(
                f"{self.label}: images of different sizes: {name} is {shape[2]} x {shape[1]}, "
                f"{other} is {expected[2]} x {expected[1]}. Set data.size=PIXELS to crop and resize them all."
            )


def is_unusable(found: np.ndarray | Unusable) -> bool:
    return isinstance(found, Unusable)


def size_of(source: FileSource, name: str) -> int:
    """Return a file's size; 0 if it has none, which is reported when it is read."""
    try:
        return source.size(name)
    except OSError:
        return 0


def read_file(source: FileSource, name: str) -> bytes:
    """Return a picture file's bytes, after a check of their number. Raises Unusable."""
    try:
        size = source.size(name)
        if size > MAX_BYTES:
            raise Unusable(f"{size:,} bytes, more than {MAX_BYTES:,}")
        encoded = source.read(name, MAX_BYTES)
    except (MemoryError, Unusable):
        raise
    except Exception as error:  # a damaged, locked or strangely packed archive member raises nearly anything
        raise Unusable(f"cannot be read: {error}") from error
    if not encoded:
        raise Unusable("empty file")
    return encoded
