"""A run's pictures: found in its folders, chosen by a stated rule, written into the page as data URIs."""

from __future__ import annotations

import re
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

KINDS = {".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg"}
APART = {"checkpoints"}  # folders without pictures
LARGE = 1_200  # pixels: longer sides are scaled down to it
BUDGET = 12_000_000  # bytes of pictures on a page


class Frame(NamedTuple):
    images: int  # seen in training when it was drawn
    path: Path


class Series(NamedTuple):
    """Pictures of one kind over training."""

    folder: str  # samples, reconstructions, ...
    caption: str  # what the file's name adds
    frames: tuple[Frame, ...]  # in order of images; those of one without a position count from 0

    @property
    def title(self) -> str:
        name = self.folder.replace("_", " ")
        return f"{name}: {self.caption}" if self.caption else name


class Picture(NamedTuple):
    images: int
    uri: str
    width: int
    height: int


def series_of(run: Path) -> list[Series]:
    """Samples first, reconstructions next. The number that a file's name begins with is its position."""
    found: dict[tuple[str, str], list[Frame]] = {}
    for path in sorted(run.rglob("*")):
        folder = path.parent.relative_to(run).as_posix()
        if path.suffix.lower() in KINDS and folder.split("/")[0] not in APART:
            position, caption = _named(path.stem)
            found.setdefault((folder if folder != "." else "pictures", caption), []).append(Frame(position, path))
    series = [Series(*key, tuple(sorted(frames))) for key, frames in found.items()]
    return sorted(series, key=lambda one: (one.folder != "samples", one.folder != "reconstructions", one[:2]))


def _named(stem: str) -> tuple[int, str]:
    digits, words = re.fullmatch(r"(\d*)_?(.*)", stem, re.DOTALL).groups()
    return int(digits[:18] or 0), words.replace("_", " ")


def spread(frames: tuple[Frame, ...], most: int) -> list[Frame]:
    """At most that many: the last, the first, and of the others those nearest to even steps in images."""
    if len(frames) <= most:
        return list(frames)
    if most == 1:
        return [frames[-1]]
    first, last = frames[0].images, frames[-1].images
    wanted = [first + (last - first) * step / (most - 1) for step in range(1, most - 1)]
    nearest = {min(frames[1:-1], key=lambda frame, at=at: abs(frame.images - at)) for at in wanted}
    return sorted({frames[0], frames[-1], *nearest})


def most_within(all_series: list[Series], most: int, budget: int = BUDGET) -> int:
    """How many frames a series may show, from 1 to `most`, so that all of them stay within the budget of bytes."""
    for count in range(most, 1, -1):
        sizes = (_size(frame.path) for series in all_series for frame in spread(series.frames, count))
        if sum(sizes) <= budget:
            return count
    return 1


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def picture(frame: Frame) -> Picture | None:
    """As a data URI, scaled down if it is large; None for a file that is no picture (any more)."""
    from PIL import Image

    try:
        data = frame.path.read_bytes()
        with Image.open(BytesIO(data)) as image:
            image.load()  # a truncated file is told by its pixels only
            width, height = image.size
            if max(width, height) > LARGE and not getattr(image, "is_animated", False):
                data, (width, height) = _scaled(image)
    except Exception:  # Pillow raises of many kinds for damaged files
        return None
    kind = KINDS[frame.path.suffix.lower()] if width else ""
    return Picture(frame.images, f"data:{_kind(data, kind)};base64,{b64encode(data).decode()}", width, height)


def _kind(data: bytes, by_name: str) -> str:
    return "image/png" if data.startswith(b"\x89PNG") else by_name


def _scaled(image) -> tuple[bytes, tuple[int, int]]:
    """PNG bytes, and their size."""
    image.thumbnail((LARGE, LARGE))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue(), image.size
