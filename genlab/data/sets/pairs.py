"""Pictures in pairs: files that hold both side by side, or two folders or zips of files with the same names."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from genlab.core.errors import ConfigError
from genlab.core.types import Count, ProperShare, Whole
from genlab.data.sets.folder import channels_of, check_skipped, refuse_nothing, store
from genlab.data.storage.archives import listed, open_source
from genlab.data.storage.cache import Add, Rest, Table, cached
from genlab.data.storage.cached_set import Stored
from genlab.data.storage.folder_layout import Held, divided, in_order, stripped

if TYPE_CHECKING:
    from genlab.data.storage.decoder import Read
    from genlab.data.storage.image_file import Rule

Roots = str | list[str]
Direction = Literal["AtoB", "BtoA"]


class Pairs(Stored):
    """Images to be made from their sources, both uint8 [N, C, H, W], decoded once into the cache.

    One root holds files whose left half is A and whose right half is B, as pix2pix's sets have them (facades, maps,
    edges2shoes). Two roots hold A and B, matched by the names of files below them, whatever their suffixes. Folders
    `train` beside `val` or `test` are splits; others mean nothing. Pictures become pixels as `pictures.Rule` says.

    Raises ConfigError for a name without a partner, partners of other sizes, an odd width of two halves, and files
    that give no picture (all of them are named) unless `on_error` is `skip`.
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
        on_error: Literal["error", "skip"] = "error",  # what to do about files that give no picture
    ) -> None:
        partners, held, skip = partners_of(root), Held(test_share, test_group), on_error == "skip"
        partners.refuse_loose(skip)
        chosen = Sides(direction, size, channels, source_channels, source_classes)
        key = {"pairs": {"content": partners.content_key(), **chosen._asdict(), **held.key}}
        table = cached(key, lambda add: decode(partners, chosen, held, add))
        check_skipped(table.facts, partners.label, skip)
        options = {"limit": limit, "holdout": holdout, "flip": flip, "crop": crop, "source_classes": source_classes}
        super().__init__(taken_apart(table), name=partners.name, **options)


class Sides(NamedTuple):
    """What is to become of A and B."""

    direction: Direction
    size: int | None
    channels: int | None
    source_channels: int | None
    source_classes: int | None

    def rules(self, partners: Partners) -> tuple[Rule, Rule]:
        """Of the source and of the image."""
        from genlab.data.storage.image_file import Rule  # Pillow takes a moment to load

        source, image = self.ordered((0, 1))
        channels = 1 if self.source_classes else self.source_channels or partners.channels(source)
        return (
            Rule(channels, self.size, classes=self.source_classes),
            Rule(self.channels or partners.channels(image), self.size),
        )

    def ordered(self, sides: Sequence) -> tuple:
        """A and B -> source and image."""
        return tuple(sides) if self.direction == "AtoB" else tuple(sides)[::-1]


class Partners(ABC):
    """Where both pictures of a name are. A name has no suffix, and no folder that all of them share."""

    names: list[str]
    label: str  # in messages
    name: str  # of the data set

    @abstractmethod
    def channels(self, side: int) -> int:
        """1 if every file of A (0) or B (1) is grey, else 3."""

    @abstractmethod
    def content_key(self) -> str: ...

    @abstractmethod
    def read(self, name: str, rules: tuple[Rule, Rule]) -> tuple[np.ndarray, np.ndarray]:
        """A and B, each by its rule. Raises Unusable."""

    def refuse_loose(self, skip: bool) -> None:
        """Raises ConfigError for names without a partner."""
        return None


class Beside(Partners):
    """Both in one file."""

    def __init__(self, root: str) -> None:
        path = Path(root).expanduser()
        self.source = open_source(path)
        refuse_nothing(self.source, path)
        self.names, self.label, self.name = self.source.names, str(path), path.absolute().stem

    def channels(self, side: int) -> int:
        return channels_of(self.source)

    def content_key(self) -> str:
        return self.source.content_key()

    def read(self, name: str, rules: tuple[Rule, Rule]) -> tuple[np.ndarray, np.ndarray]:
        from genlab.data.storage.decoder import content
        from genlab.data.storage.image_file import halves

        return halves(content(self.source, name), rules)


class Apart(Partners):
    """In two places under one name."""

    def __init__(self, roots: Sequence[str]) -> None:
        paths = [Path(root).expanduser() for root in roots]
        self.sources = [open_source(path) for path in paths]
        for source, path in zip(self.sources, paths, strict=True):
            refuse_nothing(source, path)
        self.files = [by_name(source.names, path) for source, path in zip(self.sources, paths, strict=True)]
        self.names = sorted(self.files[0].keys() & self.files[1].keys())
        self.label = f"[{paths[0]},{paths[1]}]"
        self.name = f"{paths[0].absolute().stem}_{paths[1].absolute().stem}"

    def refuse_loose(self, skip: bool) -> None:
        loose = [sorted(own.keys() - self.files[1 - side].keys()) for side, own in enumerate(self.files)]
        words = [f"{len(names)} of {side} alone: {listed(names)}" for side, names in zip("AB", loose, strict=True)]
        if any(loose) and (not skip or not self.names):
            raise ConfigError(
                f"data.root={self.label}: {len(self.names)} names have a partner, and others none. "
                f"{'; '.join(word for word, names in zip(words, loose, strict=True) if names)}. Files belong together "
                "if their names below the two roots are equal but for the suffix. Add what is missing, or leave out "
                "what is alone with data.on_error=skip."
            )

    def channels(self, side: int) -> int:
        return channels_of(self.sources[side], [self.files[side][name] for name in self.names])

    def content_key(self) -> str:
        return hashlib.sha256(" ".join(source.content_key() for source in self.sources).encode()).hexdigest()

    def read(self, name: str, rules: tuple[Rule, Rule]) -> tuple[np.ndarray, np.ndarray]:
        from genlab.data.storage.decoder import content
        from genlab.data.storage.image_file import both

        places = zip(self.sources, self.files, strict=True)
        return both(*(content(source, files[name]) for source, files in places), rules)


def partners_of(root: Roots | None) -> Partners:
    if root is None:
        raise ConfigError(
            "data.root=null: name the folder or zip whose files hold two pictures side by side, data.root=PATH, or "
            "the two places of pictures with the same names, data.root=[A,B]."
        )
    if isinstance(root, str):
        return Beside(root)
    if len(root) != 2:
        raise ConfigError(f"data.root={list(root)}: expected one place, or two, [A,B]; found {len(root)}.")
    return Apart(root)


def by_name(names: Sequence[str], path: Path) -> dict[str, str]:
    """Name without suffix, and without the folders that all share -> file. Raises ConfigError for two of one name."""
    inner = stripped({name: tuple(name.split("/")) for name in names})
    found: dict[str, str] = {}
    for name, parts in inner.items():
        short = "/".join(parts).rpartition(".")[0]
        if short in found:
            raise ConfigError(f"data.root={path}: {found[short]} and {name} have the same name. Remove one of them.")
        found[short] = name
    return found


def decode(partners: Partners, sides: Sides, held: Held, add: Add) -> Rest:
    """Rows hold the channels of the source and then those of the image."""
    chosen = divided(partners.names, held)
    rules = sides.rules(partners)
    splits = {split: in_order(members) for split, members in chosen.items()}
    _, facts = store(splits, read_by(partners, sides, rules), add, partners.label)
    used = {name for names in splits.values() for name in names}
    unused = listed(name for name in partners.names if name not in used)
    return Rest(None, facts | {"source_channels": rules[0].channels, "unused": unused})


def read_by(partners: Partners, sides: Sides, rules: tuple[Rule, Rule]) -> Read:
    return lambda name: np.concatenate(sides.ordered(partners.read(name, sides.ordered(rules))))


def taken_apart(table: Table) -> Table:
    channels = table.facts["source_channels"]
    return table._replace(images=table.images[:, channels:], labels=table.images[:, :channels])
