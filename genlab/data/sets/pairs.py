"""Pairs of pictures: files that hold both side by side, or two folders or zips of files with the same names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from genlab.core.errors import ConfigError
from genlab.core.types import Count, ProperShare, Whole
from genlab.data.notes import Notes
from genlab.data.sets.folder import add_splits, report_bad_files
from genlab.data.sets.partners import Partners, Roots, open_partners
from genlab.data.storage.archives import list_names
from genlab.data.storage.cache import Add, LabelsAndFacts, Reader, Table, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.depth import Range
from genlab.data.storage.file_notes import NEEDED_FACTS, SOURCE_KEY, check_range, notes_on
from genlab.data.storage.findings import Findings, merge_findings
from genlab.data.storage.folder_layout import Division, HeldOutShare, divide_into_splits, sort_by_hash

if TYPE_CHECKING:
    from genlab.data.storage.image_file import Rules

Direction = Literal["AtoB", "BtoA"]
OWN_RANGE = "Where sources and images differ, data.source_range=[LOW,HIGH] is for the sources alone."


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
        source_range: Range | None = None,  # those of sources; null: as `range`
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
        range, source_range = check_range(range), check_range(source_range, SOURCE_KEY)
        refuse_range_of_labels(source_range, source_classes)
        partners, held_out, skip = open_partners(root), HeldOutShare(test_share, test_group), on_error == "skip"
        partners.refuse_unpaired(skip)
        division = divide_into_splits(partners.names, held_out)
        sides = Sides(direction, size, channels, source_channels, source_classes, range, source_range)
        key = {"content": partners.content_key(), **sides.key, **held_out.key, **division.key}
        stamp = [number for source in partners.sources for number in source.stamp()]
        options = {"facts": NEEDED_FACTS, "stamp": stamp}
        table = fill_once({"pairs": key}, lambda add: decode_pairs(partners, sides, division, add), **options)
        report_bad_files(table.facts, partners.label, skip, range or source_range, partners.readings)
        options = {"limit": limit, "holdout": holdout, "flip": flip, "crop": crop, "source_classes": source_classes}
        notes = pair_notes(partners, sides, table, division.remark)
        options |= {"value_range": range, "source_range": source_range}
        super().__init__(split_channels(table), name=partners.name, notes=notes, **options)


class Sides(NamedTuple):
    """Rules that make sources and images of A and B."""

    direction: Direction
    size: int | None
    channels: int | None
    source_channels: int | None
    source_classes: int | None
    range: Range | None
    source_range: Range | None

    @property
    def key(self) -> dict[str, object]:
        """Return all values for the key of the cache, which without ranges is that of older entries."""
        ranges = ("range", "source_range")
        return {name: value for name, value in self._asdict().items() if name not in ranges or value}

    def rules(self, partners: Partners) -> Rules:
        """Return the rules of the source and of the image."""
        from genlab.data.storage.image_file import ASK_FOR_RANGE, PixelRule  # Pillow takes a moment to load

        source, image = self.source_first((0, 1))
        channels = 1 if self.source_classes else self.source_channels or partners.channels(source)
        limits, remedy = self.source_range or self.range, ASK_FOR_RANGE.replace("data.range", SOURCE_KEY)
        return (
            PixelRule(channels, self.size, classes=self.source_classes, range=limits, if_unknown=remedy),
            PixelRule(self.channels or partners.channels(image), self.size, range=self.range),
        )

    def source_first(self, sides: Sequence) -> tuple:
        """Turn (A, B) into (source, image), and back."""
        return tuple(sides) if self.direction == "AtoB" else tuple(sides)[::-1]


def decode_pairs(partners: Partners, sides: Sides, division: Division, add: Add) -> LabelsAndFacts:
    """Decode into rows of the source's channels followed by the image's."""
    findings, rules = findings_of(sides), sides.rules(partners)
    splits = {split: sort_by_hash(names) for split, names in division.members.items()}
    reader = pair_reader(partners, sides, rules, findings)
    _, facts = add_splits(splits, reader, add, partners.label, findings[0], partners.readings)
    used = {name for names in splits.values() for name in names}
    unused = list_names([*(name for name in partners.names if name not in used), *partners.outside])
    if len(findings) > 1:
        facts |= merge_findings(*findings) | {"sides": [side.facts() for side in findings]}
    return LabelsAndFacts(None, facts | {"source_channels": rules[0].channels, "unused": unused})


def findings_of(sides: Sides) -> list[Findings]:
    """Return one for all files, or for sources and images where these have ranges of their own."""
    if sides.source_range:
        return [Findings(sides.source_range), Findings(sides.range)]
    return [Findings(None if sides.source_classes else sides.range)]


def pair_reader(partners: Partners, sides: Sides, rules: Rules, findings: list[Findings]) -> Reader:
    noted = sides.source_first(findings) if len(findings) > 1 else findings
    return lambda name: np.concatenate(sides.source_first(partners.read(name, sides.source_first(rules), noted)))


def pair_notes(partners: Partners, sides: Sides, table: Table, remark: str) -> Notes:
    count = table.facts["source_channels"]
    parts = {"image": slice(count, None), **({} if sides.source_classes else {"source": slice(0, count)})}
    left_out = sum((source.left_out for source in dict.fromkeys(partners.sources)), Counter())
    layout = "; ".join(filter(None, (partners.layout, remark)))
    shared = {"root": partners.label, "remark": layout, "left_out": left_out}
    if not sides.source_range:
        return notes_on(table.facts, limits=sides.range, parts=parts, remedy=OWN_RANGE, **shared)
    source, image = (table.facts | own for own in table.facts["sides"])
    images = notes_on(image, limits=sides.range, parts={"image": parts["image"]}, **shared)
    ranged = {"limits": sides.source_range, "key": SOURCE_KEY}
    sources = notes_on(source, parts={"source": parts["source"]}, **ranged, **shared | {"left_out": Counter()})
    joined = images.joined_with(sources)
    return Notes(*(tuple(dict.fromkeys(said)) for said in joined))


def refuse_range_of_labels(source_range: Range | None, source_classes: int | None) -> None:
    if source_range and source_classes:
        raise ConfigError(
            f"data.source_range={list(source_range)} data.source_classes={source_classes}: label maps keep the numbers "
            "that they hold. Set data.source_range to null."
        )


def split_channels(table: Table) -> Table:
    channels = table.facts["source_channels"]
    return table._replace(images=table.images[:, channels:], labels=table.images[:, :channels])
