"""Pictures of a run: find them in its folders, select frames, and load them as data URIs."""

import re
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from genlab.core.foreign_files import read_bytes
from genlab.core.run_links import leads_out

MIME_TYPES = {".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg"}
FOLDERS_WITHOUT_PICTURES = {"checkpoints"}  # folders without pictures
MAX_SIDE = 1_200  # pixels: larger pictures are scaled down
MAX_PIXELS = 89_478_485  # of a sheet, 4 bytes for each; with alpha half as many, as scaling down takes a copy of them
MAX_FILE_BYTES = 2**25  # of an animation that is shown whole
MAX_HEADER_BYTES = 2**16  # beside the pixels: what lies beyond is not copied into a page
MAX_PAGE_BYTES = 12_000_000  # of all pictures together


class Frame(NamedTuple):
    images: int  # shown in training when it was drawn
    path: Path


class Series(NamedTuple):
    """Pictures of one kind over training."""

    folder: str  # samples, reconstructions, ...
    caption: str  # the words of the file's name, "" for none
    frames: tuple[Frame, ...]  # in order of images; 0 if the file's name has no number

    @property
    def title(self) -> str:
        name = self.folder.replace("_", " ")
        return f"{name}: {self.caption}" if self.caption else name


class Picture(NamedTuple):
    images: int
    uri: str
    width: int
    height: int


def find_series(run: Path) -> list[Series]:
    """Return all series of a run: samples first, then reconstructions. A name's leading number is its position."""
    found: dict[tuple[str, str], list[Frame]] = {}
    for path in sorted(run.rglob("*")):
        folder = path.parent.relative_to(run).as_posix()
        if leads_out(path, run):  # of what lies elsewhere nothing comes into a page
            continue
        if path.suffix.lower() in MIME_TYPES and folder.split("/")[0] not in FOLDERS_WITHOUT_PICTURES:
            position, caption = _parse_name(path.stem)
            found.setdefault((folder if folder != "." else "pictures", caption), []).append(Frame(position, path))
    series = [Series(*key, tuple(sorted(frames))) for key, frames in found.items()]
    return sorted(series, key=lambda one: (one.folder != "samples", one.folder != "reconstructions", one[:2]))


def _parse_name(stem: str) -> tuple[int, str]:
    digits, words = re.fullmatch(r"(\d*)_?(.*)", stem, re.DOTALL).groups()
    return int(digits[:18] or 0), words.replace("_", " ")


def select_frames(frames: tuple[Frame, ...], max_frames: int) -> list[Frame]:
    """Return at most `max_frames`: the last, the first, and those nearest to even steps in images between them."""
    if len(frames) <= max_frames:
        return list(frames)
    if max_frames == 1:
        return [frames[-1]]
    first, last = frames[0].images, frames[-1].images
    wanted = [first + (last - first) * step / (max_frames - 1) for step in range(1, max_frames - 1)]
    nearest = {min(frames[1:-1], key=lambda frame, at=at: abs(frame.images - at)) for at in wanted}
    return sorted({frames[0], frames[-1], *nearest})


def frames_within_budget(all_series: list[Series], max_frames: int, budget: int = MAX_PAGE_BYTES) -> int:
    """Return how many frames of each series, from 1 to `max_frames`, keep all pictures within `budget` bytes."""
    for count in range(max_frames, 1, -1):
        sizes = (_file_bytes(frame.path) for series in all_series for frame in select_frames(series.frames, count))
        if sum(sizes) <= budget:
            return count
    return 1


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def load_picture(frame: Frame) -> Picture | None:
    """Return the frame as a data URI, scaled down if it is large; None if it cannot be read as a picture."""
    from genlab.core.picture_file import open_picture  # Pillow takes a moment to load

    try:
        data = read_bytes(frame.path, MAX_FILE_BYTES)
        with open_picture(data, MAX_PIXELS) as image:
            if image.mode in ("LA", "RGBA") and image.width * image.height > MAX_PIXELS // 2:
                return None
            image.load()  # only reading the pixels shows that a file is truncated
            width, height = image.size
            padded = len(data) > 4 * width * height + MAX_HEADER_BYTES
            if (padded or max(width, height) > MAX_SIDE) and not getattr(image, "is_animated", False):
                data, (width, height) = _scale_down(image)
    except Exception:  # Pillow raises many kinds for damaged files
        return None
    kind = MIME_TYPES[frame.path.suffix.lower()] if width else ""
    return Picture(frame.images, f"data:{_mime_type(data, kind)};base64,{b64encode(data).decode()}", width, height)


def _mime_type(data: bytes, by_name: str) -> str:
    return "image/png" if data.startswith(b"\x89PNG") else by_name


def _scale_down(image) -> tuple[bytes, tuple[int, int]]:
    """Return the picture as PNG bytes, at most MAX_SIDE a side, and its (width, height)."""
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue(), image.size
