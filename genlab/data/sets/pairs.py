"""Pairs of pictures: files that hold both side by side, or two folders or zips of files with the same names."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from genlab.core.errors import ConfigError
from genlab.core.types import Count, FilePath, ProperShare, Whole
from genlab.data.sets.folder import add_splits, detect_channels, refuse_empty_source, report_bad_files
from genlab.data.storage.archives import list_names, open_source
from genlab.data.storage.cache import Add, LabelsAndFacts, Reader, Table, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.folder_layout import HeldOutShare, divide_into_splits, sort_by_hash, strip_shared_folders

if TYPE_CHECKING:
    from genlab.data.storage.image_file import PixelRule

Roots = FilePath | list[FilePath]
Direction = Literal["AtoB", "BtoA"]


class Pairs(CachedSet):
    """Images and the sources they are to be made from, both uint8 [N, C, H, W], decoded once into the cache.

    One root holds files whose left half is A and whose right half is B, as pix2pix's sets have them (facades, maps,
    edges2shoes). Two roots hold A and B, matched by the names of files below them, whatever their suffixes. Folders
    `train` beside `val` or `test` are splits; others mean nothing. Pictures become pixels by `image_file.PixelRule`.

    Raises ConfigError for a name without a partner, partners of other sizes, an odd width of two halves, and files
    that cannot be decoded (all are named) unless `on_error` is `skip`.
    """

    def __init__(
        self,
        root: Roots | None = None,  # a folder or a zip archive; or two of them, [A, B]
        *,
        direction: Direction = "AtoB",  # AtoB: B is made from A
        size: Count | None = None,  # pixels a side: centred square, resized; null: as they are, all of one size
        channels: Literal[1, 3] | None = None,  # of images; null: 1 if every file is grey, else 3
        source_channels: Literal[1, 3] | None = None,  # of sources
        source_classes: Count | None = None,  # sources are label maps: classes as grey levels or palette, 255 none
        limit: Count | None = None,  # train on the first N pairs only
        holdout: Whole = 0,  # keep the last N training pairs from training
        flip: bool = False,  # mirror half of the training pairs
        crop: Count | None = None,  # pixels a side that are shown: anywhere in training, else in the middle; null: all
        test_share: ProperShare = 0.0,  # of the pairs, to test with; chosen by a hash of their names
        test_group: str | None = None,  # a pattern: pairs whose name's first match is equal stay in one split
        on_error: Literal["error", "skip"] = "error",  # about files that cannot be decoded
    ) -> None:
        partners, held_out, skip = open_partners(root), HeldOutShare(test_share, test_group), on_error == "skip"
        partners.refuse_unpaired(skip)
        sides = Sides(direction, size, channels, source_channels, source_classes)
        key = {"pairs": {"content": partners.content_key(), **sides._asdict(), **held_out.key}}
        table = fill_once(key, lambda add: decode_pairs(partners, sides, held_out, add))
        report_bad_files(table.facts, partners.label, skip)
        options = {"limit": limit, "holdout": holdout, "flip": flip, "crop": crop, "source_classes": source_classes}
        super().__init__(split_channels(table), name=partners.name, **options)


class Sides(NamedTuple):
    """Rules that make sources and images of A and B."""

    direction: Direction
    size: int | None
    channels: int | None
    source_channels: int | None
    source_classes: int | None

    def rules(self, partners: Partners) -> tuple[PixelRule, PixelRule]:
        """Return the rules of the source and of the image."""
        from genlab.data.storage.image_file import PixelRule  # Pillow takes a moment to load

        source, image = self.source_first((0, 1))
        channels = 1 if self.source_classes else self.source_channels or partners.channels(source)
        return (
            PixelRule(channels, self.size, classes=self.source_classes),
            PixelRule(self.channels or partners.channels(image), self.size),
        )

    def source_first(self, sides: Sequence) -> tuple:
        """Turn (A, B) into (source, image), and back."""
        return tuple(sides) if self.direction == "AtoB" else tuple(sides)[::-1]


class Partners(ABC):
    """Places of both pictures of each name. A name has no suffix, and no folder that all names share."""

    names: list[str]
    label: str  # in messages
    name: str  # of the data set

    @abstractmethod
    def channels(self, side: int) -> int:
        """Return 1 if every file of A (0) or B (1) is grey, else 3."""

    @abstractmethod
    def content_key(self) -> str: ...

    @abstractmethod
    def read(self, name: str, rules: tuple[PixelRule, PixelRule]) -> tuple[np.ndarray, np.ndarray]:
        """Return A and B, each by its rule. Raises Unusable."""

    def refuse_unpaired(self, skip: bool) -> None:
        """Raises ConfigError for names without a partner."""
        return None


class SideBySide(Partners):
    """Both pictures in one file."""

    def __init__(self, root: str) -> None:
        path = Path(root).expanduser()
        self.source = open_source(path)
        refuse_empty_source(self.source, path)
        self.names, self.label, self.name = self.source.names, str(path), path.absolute().stem

    def channels(self, side: int) -> int:
        return detect_channels(self.source)

    def content_key(self) -> str:
        return self.source.content_key()

    def read(self, name: str, rules: tuple[PixelRule, PixelRule]) -> tuple[np.ndarray, np.ndarray]:
        from genlab.data.storage.decoder import read_file
        from genlab.data.storage.image_file import read_halves

        return read_halves(read_file(self.source, name), rules)


class TwoFolders(Partners):
    """Two pictures of one name in two folders or zips."""

    def __init__(self, roots: Sequence[str]) -> None:
        paths = [Path(root).expanduser() for root in roots]
        self.sources = [open_source(path) for path in paths]
        for source, path in zip(self.sources, paths, strict=True):
            refuse_empty_source(source, path)
        self.files = [files_by_name(source.names, path) for source, path in zip(self.sources, paths, strict=True)]
        self.names = sorted(self.files[0].keys() & self.files[1].keys())
        self.label = f"[{paths[0]},{paths[1]}]"
        self.name = f"{paths[0].absolute().stem}_{paths[1].absolute().stem}"

    def refuse_unpaired(self, skip: bool) -> None:
        alone = [sorted(own.keys() - self.files[1 - side].keys()) for side, own in enumerate(self.files)]
        words = [f"{len(names)} of {side} alone: {list_names(names)}" for side, names in zip("AB", alone, strict=True)]
        if any(alone) and (not skip or not self.names):
            raise ConfigError(
                f"data.root={self.label}: {len(self.names)} names have a partner, and others none. "
                f"{'; '.join(word for word, names in zip(words, alone, strict=True) if names)}. Files belong together "
                "if their names below the two roots are equal but for the suffix. Add what is missing, or leave out "
                "what is alone with data.on_error=skip."
            )

    def channels(self, side: int) -> int:
        return detect_channels(self.sources[side], [self.files[side][name] for name in self.names])

    def content_key(self) -> str:
        return hashlib.sha256(" ".join(source.content_key() for source in self.sources).encode()).hexdigest()

    def read(self, name: str, rules: tuple[PixelRule, PixelRule]) -> tuple[np.ndarray, np.ndarray]:
        from genlab.data.storage.decoder import read_file
        from genlab.data.storage.image_file import read_pair

        places = zip(self.sources, self.files, strict=True)
        return read_pair(*(read_file(source, files[name]) for source, files in places), rules)


def open_partners(root: Roots | None) -> Partners:
    if root is None:
        raise ConfigError(
            "data.root=null: name the folder or zip whose files hold two pictures side by side, data.root=PATH, or "
            "the two places of pictures with the same names, data.root=[A,B]."
        )
    if isinstance(root, str):
        return SideBySide(root)
    if len(root) != 2:
        raise ConfigError(f"data.root={list(root)}: expected one place, or two, [A,B]; found {len(root)}.")
    return TwoFolders(root)


def files_by_name(names: Sequence[str], path: Path) -> dict[str, str]:
    """Return files by name, without suffix and shared folders. Raises ConfigError for two files of one name."""
    inner = strip_shared_folders({name: tuple(name.split("/")) for name in names})
    found: dict[str, str] = {}
    for name, parts in inner.items():
        short = "/".join(parts).rpartition(".")[0]
        if short in found:
            raise ConfigError(f"data.root={path}: {found[short]} and {name} have the same name. Remove one of them.")
        found[short] = name
    return found


def decode_pairs(partners: Partners, sides: Sides, held_out: HeldOutShare, add: Add) -> LabelsAndFacts:
    """Decode into rows of the source's channels followed by the image's."""
    members = divide_into_splits(partners.names, held_out)
    rules = sides.rules(partners)
    splits = {split: sort_by_hash(names) for split, names in members.items()}
    _, facts = add_splits(splits, pair_reader(partners, sides, rules), add, partners.label)
    used = {name for names in splits.values() for name in names}
    unused = list_names(name for name in partners.names if name not in used)
    return LabelsAndFacts(None, facts | {"source_channels": rules[0].channels, "unused": unused})


def pair_reader(partners: Partners, sides: Sides, rules: tuple[PixelRule, PixelRule]) -> Reader:
    return lambda name: np.concatenate(sides.source_first(partners.read(name, sides.source_first(rules))))


def split_channels(table: Table) -> Table:
    channels = table.facts["source_channels"]
    return table._replace(images=table.images[:, channels:], labels=table.images[:, :channels])
