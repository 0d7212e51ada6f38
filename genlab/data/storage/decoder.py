"""Many image files -> the rows of a table, decoded side by side. Imports Pillow."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from genlab.core.errors import ConfigError
from genlab.data.storage.archives import Source
from genlab.data.storage.cache import Add
from genlab.data.storage.image_file import Rule, Unusable, picture

log = logging.getLogger(__name__)

LARGEST_FILE = 2**29  # bytes
CHUNK = 64  # pictures decoded before they are handed on
NEWS = 15.0  # seconds between lines on the progress


Read = Callable[[str], np.ndarray]  # a name -> uint8 [C, H, W]; raises Unusable


def reader(source: Source, rule: Rule) -> Read:
    return lambda name: picture(content(source, name), rule)


class Decoder:
    """Passes pictures on to the cache, and remembers the files that give none."""

    def __init__(self, read: Read, add: Add, *, label: str) -> None:
        self.read, self.add, self.label = read, add, label
        self.bad: dict[str, str] = {}  # name -> reason
        self.first: tuple[str, tuple[int, ...]] | None = None  # name and shape that all others must have

    def store(self, names: Sequence[str]) -> list[str]:
        """The names that gave a picture, in their order. Raises ConfigError if pictures differ in size."""
        stored: list[str] = []
        news = time.monotonic() + NEWS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd files; those that matter are refused here
            for chunk, results in self._decoded(names):
                stored += self._stored(chunk, results)
                if time.monotonic() > news:
                    log.info("%s: decoded %s of %s images", self.label, f"{len(stored):,}", f"{len(names):,}")
                    news = time.monotonic() + NEWS
        return stored

    def _decoded(self, names: Sequence[str]) -> Iterator[tuple[Sequence[str], list[np.ndarray | Unusable]]]:
        with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as pool:  # Pillow decodes without Python's lock
            for start in range(0, len(names), CHUNK):
                chunk = names[start : start + CHUNK]
                yield chunk, list(pool.map(self._picture, chunk))

    def _picture(self, name: str) -> np.ndarray | Unusable:
        try:
            return self.read(name)
        except Unusable as reason:
            return reason

    def _stored(self, names: Sequence[str], results: list[np.ndarray | Unusable]) -> list[str]:
        self.bad |= {name: str(found) for name, found in zip(names, results, strict=True) if failed(found)}
        good = [(name, found) for name, found in zip(names, results, strict=True) if not failed(found)]
        for name, pixels in good:
            self._check_shape(name, pixels.shape)
        if good:
            self.add(np.stack([pixels for _, pixels in good]))
        return [name for name, _ in good]

    def _check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        self.first = self.first or (name, shape)
        other, expected = self.first
        if shape != expected:
            raise ConfigError(
                f"{self.label}: images of different sizes: {name} is {shape[2]} x {shape[1]}, "
                f"{other} is {expected[2]} x {expected[1]}. Set data.size=PIXELS to crop and resize them all."
            )


def failed(found: np.ndarray | Unusable) -> bool:
    return isinstance(found, Unusable)


def content(source: Source, name: str) -> bytes:
    """The bytes of a file, looked at before they are read. Raises Unusable."""
    try:
        size = source.size(name)
        if size == 0:
            raise Unusable("empty file")
        if size > LARGEST_FILE:
            raise Unusable(f"{size:,} bytes, more than {LARGEST_FILE:,}")
        return source.read(name)
    except (MemoryError, Unusable):
        raise
    except Exception as error:  # a damaged, locked or strangely packed archive member raises nearly anything
        raise Unusable(f"cannot be read: {error}") from error
