"""Pairs of pictures: files that hold both side by side, or two folders or zips of files with the same names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from genlab.core.types import Count, ProperShare, Whole
from genlab.data.notes import Notes
from genlab.data.sets.folder import add_splits, report_bad_files
from genlab.data.sets.partners import Partners, Roots, open_partners
from genlab.data.storage.archives import list_names
from genlab.data.storage.cache import Add, LabelsAndFacts, Reader, Table, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.depth import Range
from genlab.data.storage.file_notes import NEEDED_FACTS, check_range, notes_on
from genlab.data.storage.findings import Findings
from genlab.data.storage.folder_layout import Division, HeldOutShare, divide_into_splits, sort_by_hash

if TYPE_CHECKING:
    from genlab.data.storage.image_file import PixelRule

Direction = Literal["AtoB", "BtoA"]


class Pairs(CachedSet):
    """Images and the sources they are to be made from, both uint8 [N, C, H, W], decoded once into the cache.

    One root holds files whose left half is A and whose right half is B, as pix2pix's sets have them (facades, maps,
    edges2shoes); or folders A and B, also as trainA, trainB, testA, testB. Two roots hold A and B. Files of A and B
    are matched by their names below these folders, whatever their suffixes. Folders for training and testing are
    splits (`folder_layout.read_layout`); others mean nothing. Pictures become pixels by `image_file.PixelRule`.

    Raises ConfigError for a name without a partner, partners of other sizes, an odd width of two halves or pictures
    that are not about twice as wide as high, and files that cannot be decoded (all are named) unless `on_error` is
    `skip`.
    """

    def __init__(
        self,
        root: Roots | None = None,  # a folder or a zip archive; or two of them, [A, B]
        *,
        direction: Direction = "AtoB",  # AtoB: B is made from A
        range: Range | None = None,  # values that become black and white, but of label maps; null: all of their depth
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
        range = check_range(range)
        partners, held_out, skip = open_partners(root), HeldOutShare(test_share, test_group), on_error == "skip"
        partners.refuse_unpaired(skip)
        division = divide_into_splits(partners.names, held_out)
        sides = Sides(direction, size, channels, source_channels, source_classes, range)
        key = {"content": partners.content_key(), **sides.key, **held_out.key, **division.key}
        table = fill_once({"pairs": key}, lambda add: decode_pairs(partners, sides, division, add), facts=NEEDED_FACTS)
        report_bad_files(table.facts, partners.label, skip, range, partners.readings)
        options = {"limit": limit, "holdout": holdout, "flip": flip, "crop": crop, "source_classes": source_classes}
        notes = pair_notes(partners, sides, table, division.remark)
        super().__init__(split_channels(table), name=partners.name, notes=notes, value_range=range, **options)


class Sides(NamedTuple):
    """Rules that make sources and images of A and B."""

    direction: Direction
    size: int | None
    channels: int | None
    source_channels: int | None
    source_classes: int | None
    range: Range | None

    @property
    def key(self) -> dict[str, object]:
        """Return all values for the key of the cache, which without a range is that of older entries."""
        return {name: value for name, value in self._asdict().items() if name != "range" or value}

    def rules(self, partners: Partners) -> tuple[PixelRule, PixelRule]:
        """Return the rules of the source and of the image."""
        from genlab.data.storage.image_file import PixelRule  # Pillow takes a moment to load

        source, image = self.source_first((0, 1))
        channels = 1 if self.source_classes else self.source_channels or partners.channels(source)
        return (
            PixelRule(channels, self.size, classes=self.source_classes, range=self.range),
            PixelRule(self.channels or partners.channels(image), self.size, range=self.range),
        )

    def source_first(self, sides: Sequence) -> tuple:
        """Turn (A, B) into (source, image), and back."""
        return tuple(sides) if self.direction == "AtoB" else tuple(sides)[::-1]


def decode_pairs(partners: Partners, sides: Sides, division: Division, add: Add) -> LabelsAndFacts:
    """Decode into rows of the source's channels followed by the image's."""
    findings, rules = Findings(None if sides.source_classes else sides.range), sides.rules(partners)
    splits = {split: sort_by_hash(names) for split, names in division.members.items()}
    reader = pair_reader(partners, sides, rules, findings)
    _, facts = add_splits(splits, reader, add, partners.label, findings, partners.readings)
    used = {name for names in splits.values() for name in names}
    unused = list_names([*(name for name in partners.names if name not in used), *partners.outside])
    return LabelsAndFacts(None, facts | {"source_channels": rules[0].channels, "unused": unused})


def pair_reader(partners: Partners, sides: Sides, rules: tuple[PixelRule, PixelRule], findings: Findings) -> Reader:
    return lambda name: np.concatenate(sides.source_first(partners.read(name, sides.source_first(rules), findings)))


def pair_notes(partners: Partners, sides: Sides, table: Table, remark: str) -> Notes:
    count = table.facts["source_channels"]
    parts = {"image": slice(count, None), **({} if sides.source_classes else {"source": slice(0, count)})}
    left_out = sum((source.left_out for source in dict.fromkeys(partners.sources)), Counter())
    shared = {"left_out": left_out, "limits": sides.range, "parts": parts}
    layout = "; ".join(filter(None, (partners.layout, remark)))
    return notes_on(table.facts, root=partners.label, remark=layout, **shared)


def split_channels(table: Table) -> Table:
    channels = table.facts["source_channels"]
    return table._replace(images=table.images[:, channels:], labels=table.images[:, :channels])
