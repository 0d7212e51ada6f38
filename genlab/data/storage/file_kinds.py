"""Kinds of files: pictures that are read, pictures of other formats, and the rest."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff", ".avif"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
HEAD_BYTES = 132  # enough for every pattern below
READ_FORMATS = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "WebP": rb"RIFF....WEBP",
    "TIFF": rb"II\*\0|MM\0\*|II\+\0|MM\0\+",
    "BMP": rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    "PPM": rb"P[1-6]\s+[#\d]",
    "AVIF": rb".{4}ftyp(avi[fs]|(mif1|msf1).{0,40}avi[fs])",
}
OTHER_FORMATS = {
    "HEIC": rb".{4}ftyp(hei|hev|mif1|msf1)",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "Photoshop": rb"8BPS",
    "OpenEXR": rb"\x76\x2f\x31\x01",
    "DICOM": rb".{128}DICM",
}
# Files that hold a picture which is none of the set: camera raw shows as a TIFF of its preview; the rest are copies.
RAW_SUFFIXES = (".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".pef", ".srw")
COPY_SUFFIXES = ("~", ".bak", ".tmp", ".part", ".crdownload", ".jpg_original")
SIDECAR_SUFFIXES = (".txt", ".json", ".xml", ".csv", ".npy", ".npz", ".caption", ".xmp")  # beside a picture: not opened
SYSTEM_NAMES = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin")
LABEL_FILE = "dataset.json"
READ_TABLES = (LABEL_FILE, "captions.json", "captions.csv")  # which data sets read themselves
RUN_CONTENTS = ("checkpoints", "samples", "pictures", "metrics.jsonl", "environment.json")  # beside a run's config.yaml
OWN_FILES = "files of genlab's own runs"
HIDDEN_PICTURES = "hidden pictures"
COPY_PREFIX = "._"  # of what macOS writes beside each file on other disks


class Listing(NamedTuple):
    """Names of files, sorted out."""

    pictures: list[str]  # sorted
    left_out: Counter[str]  # files by kind: a format, a suffix
    label_files: list[str]


def sort_out_visible(files: Iterable[str], head: Callable[[str], bytes]) -> Listing:
    """Sort out the files that are not hidden, and count the pictures that are."""
    files = list(files)
    listing = sort_out([name for name in files if not is_hidden(name)], head)
    hidden = sum(map(is_hidden_picture, files))
    listing.left_out.update({HIDDEN_PICTURES: hidden} if hidden else {})
    return listing


def sort_out(files: Iterable[str], head: Callable[[str], bytes]) -> Listing:
    """Tell pictures from other files: by suffix, and where that says nothing by `head`, a file's first bytes."""
    files, runs = leave_out_runs(list(files))
    pictures, rest = [], []
    for name in files:
        (pictures if is_image(name) else rest).append(name)
    stems = set(map(stem_of, pictures)) if rest else set()
    left_out = Counter({OWN_FILES: runs} if runs else {})
    for name in rest:
        sidecar = name.lower().endswith(SIDECAR_SUFFIXES) and stem_of(name) in stems
        kind = "" if sidecar or is_table(name) else format_of(head(name))
        if kind in READ_FORMATS and not name.lower().endswith(RAW_SUFFIXES + COPY_SUFFIXES):
            pictures.append(name)
        elif not is_table(name):
            left_out[kind if kind in OTHER_FORMATS else suffix_of(name) or "without suffix"] += 1
    return Listing(sorted(pictures), left_out, [name for name in rest if file_of(name) == LABEL_FILE])


def file_of(name: str) -> str:
    """Return a file's own name in lower case."""
    return name.rpartition("/")[2].lower()


def is_table(name: str) -> bool:
    """Tell whether data sets read a file themselves: dataset.json in any case of letters, captions as they are."""
    return name.rpartition("/")[2] in READ_TABLES or file_of(name) == LABEL_FILE


def format_of(head: bytes) -> str:
    """Return the picture format that a file's first bytes name; "": none."""
    formats = {**READ_FORMATS, **OTHER_FORMATS}
    return next((name for name, pattern in formats.items() if re.match(pattern, head, re.DOTALL)), "")


def leave_out_runs(files: list[str]) -> tuple[list[str], int]:
    """Leave out the files of training runs, which lie below the root if it is the working directory; count them."""
    folders = [name.removesuffix("config.yaml") for name in files if name.endswith("/config.yaml")]
    if not folders:
        return files, 0
    heads = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 2)}
    runs = tuple(folder for folder in folders if any(folder + content in heads for content in RUN_CONTENTS))
    kept = [name for name in files if not name.startswith(runs)]
    return kept, len(files) - len(kept)


def is_own_png(head: bytes) -> bool:
    """Tell whether a PNG says that genlab wrote it, in its first chunk behind the header (byte 33, after a length)."""
    return head[37:].startswith(b"tEXtSoftware\0genlab")


def is_image(name: str) -> bool:
    """Tell whether a name has a picture's suffix."""
    return name.lower().endswith(SUFFIXES)


def is_hidden(name: str) -> bool:
    """Tell whether a name is hidden, or one that a system adds to folders and archives."""
    return is_systems(name) or any(part.startswith(".") and part != "." for part in name.split("/"))


def is_systems(name: str) -> bool:
    """Tell whether a system added a name to a folder or archive."""
    return any(part.lower() in SYSTEM_NAMES for part in name.split("/"))


def is_hidden_picture(name: str) -> bool:
    """Tell whether a picture is hidden, by its own name or a folder's, and not a system's own file."""
    own = name.rpartition("/")[2].startswith(COPY_PREFIX) or is_systems(name)
    return is_image(name) and is_hidden(name) and not own


def stem_of(name: str) -> str:
    """Return a path without its suffix. What follows a last dot is one unless it is a number: `photo.1` has none."""
    return name[: len(name) - len(suffix_of(name))]


def suffix_of(name: str) -> str:
    """Return the suffix in lower case, with its dot; "": none."""
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if stem and dot and not suffix.isdigit() else ""


def describe_left_out(left_out: Counter[str]) -> str:
    return ", ".join(
        f"{left_out[kind]:,} {kind}" for kind in sorted(left_out, key=lambda kind: (-left_out[kind], kind))
    )
