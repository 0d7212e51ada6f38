"""Facts of a user's pictures that decide how to train on them, read before anything is decoded or trained."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from genlab.core.errors import ConfigError
from genlab.core.types import ProperShare
from genlab.data.labels.label_file import read_label_files
from genlab.data.storage.archives import FileSource
from genlab.data.storage.decoder import read_file, size_of
from genlab.data.storage.file_notes import Depths
from genlab.data.storage.findings import Findings
from genlab.data.storage.folder_layout import HeldOutShare, divide_into_splits, sort_by_hash
from genlab.data.storage.image_file import ALPHA_MODES, GREY_MODES, Unusable, open_image
from genlab.data.storage.roots import open_root

MOST_OPENED = 1_000  # files whose headers are read; of more, a sample by the hash of their names
MOST_COMPARED = 20_000  # files among which copies are looked for


@dataclass(frozen=True)
class Pictures:
    """The facts of a folder's pictures. Sizes, colours and depths are those of the `opened` files alone."""

    root: Path
    count: int  # to train on
    tested: int  # to test with
    copies: int  # files of the same content as another
    classes: list[str]  # folders; empty where there is but one
    loose: int  # pictures beside folders
    opened: int
    unusable: int  # of those opened
    sizes: list[tuple[int, int]]  # width and height, sorted by pixels
    grey: bool
    transparent: int
    depths: Depths

    @property
    def side(self) -> int:
        """Return the median of the shorter sides, in pixels."""
        return int(median(map(min, self.sizes)))

    @property
    def aspect(self) -> float:
        """Return the median of longer by shorter sides."""
        return median(max(size) / min(size) for size in self.sizes)


class Header(NamedTuple):
    size: tuple[int, int]
    grey: bool
    transparent: bool


def look_at(
    root: str | Sequence[str] | None,
    *,
    limit: int | None = None,
    test_share: ProperShare = 0.0,
    test_group: str | None = None,
) -> Pictures:
    """Read the facts of a folder, zip or saved samples. Raises ConfigError if there is no picture that can be read."""
    path, source = open_root(root)
    splits = divide_into_splits(source.names, HeldOutShare(test_share, test_group)).members
    training, labelled = splits["train"], read_label_files(source) is not None
    folders = set() if labelled else {parts[0] for parts in training.values() if len(parts) > 1}
    names = sort_by_hash(training)[:limit]
    findings = Findings()
    headers = [header for name in names[:MOST_OPENED] if (header := read_header(source, name, findings))]
    if not headers:
        raise ConfigError(f"data.root={path}: none of {len(names):,} pictures can be read. {reason(source, names[0])}")
    unusable = len(names[:MOST_OPENED]) - len(headers)
    return Pictures(
        path,
        count=len(names) - unusable,
        tested=len(splits.get("test", ())),
        copies=count_copies(source, names[:MOST_COMPARED]),
        classes=sorted(folders) if len(folders) > 1 else [],
        loose=sum(len(parts) == 1 for parts in training.values()) if folders else 0,
        opened=len(names[:MOST_OPENED]),
        unusable=unusable,
        sizes=sorted((header.size for header in headers), key=lambda size: size[0] * size[1]),
        grey=all(header.grey for header in headers),
        transparent=sum(header.transparent for header in headers),
        depths=findings.depths,
    )


def read_header(source: FileSource, name: str, findings: Findings) -> Header | None:
    """Return the facts of a file's header; None for a file that cannot be used. The values of deep files are noted."""
    try:
        image = open_image(read_file(source, name), size=1)
        transparent = image.mode in ALPHA_MODES or "transparency" in image.info
        found = Header(image.size, image.mode.partition(";")[0] in GREY_MODES, transparent)
        findings.add(image)
    except Exception:  # Pillow's readers raise nearly anything; decoding reports it
        return None
    return found


def reason(source: FileSource, name: str) -> str:
    """Return why a file cannot be used."""
    try:
        open_image(read_file(source, name), size=1)
    except Exception as error:  # as above
        return f"The first of them, {name}: {error}."
    return f"The first of them is {name}."


def count_copies(source: FileSource, names: Iterable[str]) -> int:
    """Return how many files have the content of an earlier one; of unequal sizes none is read."""
    by_size: dict[int, list[str]] = defaultdict(list)
    for name in names:
        by_size[size_of(source, name)].append(name)
    return sum(len(alike) - len({digest(source, name) for name in alike}) for alike in by_size.values() if alike[1:])


def digest(source: FileSource, name: str) -> str:
    """Return the SHA-256 of a file; of one that cannot be read its name, which is like no other."""
    try:
        return hashlib.sha256(read_file(source, name)).hexdigest()
    except Unusable:
        return name


def describe(pictures: Pictures) -> str:
    """Return what was found, in words."""
    smallest, largest = (" x ".join(f"{side:,}" for side in pictures.sizes[place]) for place in (0, -1))
    sizes = smallest if smallest == largest else f"{smallest} to {largest}"
    kinds = len(pictures.classes)
    said = [
        f"{pictures.count:,} pictures to train on",
        f"{pictures.tested:,} to test with" if pictures.tested else "",
        f"{pictures.copies:,} of them copies of others" if pictures.copies else "",
        f"{sizes} pixels, the median of shorter sides is {pictures.side:,}, of aspects {pictures.aspect:.2g} : 1",
        "grey" if pictures.grey else "colour",
        f"{pictures.transparent:,} with transparency (on white; data.channels=4 keeps it)"
        if pictures.transparent
        else "",
        f"{kinds} folders" if kinds else "",
        f"{pictures.loose:,} beside folders" if pictures.loose else "",
        f"besides {pictures.unusable:,} that cannot be read" if pictures.unusable else "",
        f"sizes and colours of {pictures.opened:,} of them" if pictures.opened < pictures.count else "",
    ]
    return f"{pictures.root}: {', '.join(filter(None, said))}"
