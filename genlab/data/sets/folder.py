"""Folder: a user's own image files in a folder or a zip, with subfolders as classes."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from genlab.core.condition import Attributes, Classes, Condition
from genlab.core.errors import ConfigError
from genlab.core.types import Count, FilePath, ProperShare, Whole
from genlab.data.labels.attribute_vectors import ImageLabels, Vectors
from genlab.data.labels.label_file import read_label_files
from genlab.data.labels.word_reader import WordReader, WordsChoice
from genlab.data.notes import Notes
from genlab.data.storage.archives import MAX_NAMES_LISTED, FileSource, list_names
from genlab.data.storage.cache import Add, LabelsAndFacts, Reader, Table, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.depth import Range
from genlab.data.storage.file_notes import (
    NEEDED_FACTS,
    SOURCE_KEY,
    check_range,
    notes_on,
    refuse_choice_by_value,
    suggest_range,
)
from genlab.data.storage.findings import Findings
from genlab.data.storage.folder_layout import ClassRule, HeldOutShare, Layout, read_layout
from genlab.data.storage.roots import Roots, open_root
from genlab.data.storage.split_names import Members
from genlab.data.tasks import TaskChoice

log = logging.getLogger(__name__)


class Folder(CachedSet):
    """Images below a folder or in a zip archive, uint8 [N, C, H, W], decoded once into the cache.

    Folders become splits and classes by `folder_layout.read_layout`, files become pixels by `image_file.PixelRule`.
    Where there is a dataset.json, labels come from it (`label_file.read_label_files`). Files are pictures by their
    suffix, others by their content; what is left out is said before the first step.
    Images are in the order of a hash of their names, so that `limit` and `holdout` take fair samples.

    Raises ConfigError if there is no image, if files cannot be decoded (all are named) and `on_error` is `error`,
    if sizes differ and `size` is null, if all values are equal, or if an archive's members lead out of it.
    """

    def __init__(
        self,
        root: Roots | None = None,  # a folder or zip; several lie side by side
        *,
        size: Count | None = None,  # pixels a side: centred square, resized; null: as they are, all of one size
        channels: Literal[1, 3, 4] | None = None,  # null: 1 if every file is grey, else 3; 4: RGBA
        range: Range | None = None,  # values of the files that become black and white; null: all that their depth holds
        classes: ClassRule = None,  # folders, whatever else gives labels, or none; null: what is there
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        labelled: Count | None = None,  # training images that keep their label, the classes equally; null: all
        label_seed: Whole = 0,  # chooses which ones
        flip: bool = False,  # mirror half of the training images
        crop: Count | None = None,  # pixels a side that are shown: anywhere in training, else in the middle; null: all
        task: TaskChoice | None = None,  # makes a source of every image
        words: WordsChoice | None = None,  # condition on words of names, folders or captions instead of classes
        conditions: FilePath | None = None,  # an .npy, .npz, .txt or .csv file: condition on its numbers, not classes
        test_share: ProperShare = 0.0,  # of the files, to test with; chosen by a hash of their names
        test_group: str | None = None,  # a pattern: files whose name's first match is equal stay in one split
        on_error: Literal["error", "skip"] = "error",  # about files that cannot be decoded
    ) -> None:
        path, source = open_root(root)
        range = check_range(range)
        held_out, given = HeldOutShare(test_share, test_group), read_label_files(source)
        layout = read_layout(source.names, held_out, given, classes=classes)
        options = {"size": size, "channels": channels, **({"range": range} if range else {})}
        key = {"content": source.content_key(), **options, **held_out.key, **layout.key}
        table = fill_once(
            {"folder": key},
            lambda add: decode_folder(source, path, layout, add, **options),
            **{"facts": NEEDED_FACTS, "stamp": source.stamp()},
        )
        report_bad_files(table.facts, path, on_error == "skip", range)
        reader = label_reader(words, conditions)
        read = reader and reader(source, stored_members(layout, table), table.facts["splits"]["train"])
        super().__init__(
            replace_labels(table, read) if read else table,
            name=path.absolute().stem,
            class_names=tuple(table.facts["classes"]),
            condition=read.condition if read else condition_of(table, tuple(given.attributes) if given else ()),
            notes=folder_notes(source, path, layout, table, range),
            value_range=range,
            **{"limit": limit, "holdout": holdout, "labelled": labelled, "label_seed": label_seed},
            **{"flip": flip, "crop": crop, "task": task},
        )


def label_reader(words: WordsChoice | None, conditions: str | None) -> WordReader | Vectors | None:
    """Return the reader of words or attribute vectors, None for classes. Raises ConfigError for both."""
    if words is not None and conditions is not None:
        raise ConfigError(f"data.words={words} data.conditions={conditions}: images have one of them. Drop the other.")
    if conditions is not None:
        return Vectors(conditions)
    return WordReader(words) if isinstance(words, str) else words


def stored_members(layout: Layout, table: Table) -> Members:
    """Return the names of the table's rows, in their order, each with its parts below its split's folder."""
    skipped = table.facts["skipped"]
    return {name: layout.members[name] for names in layout.splits.values() for name in names if name not in skipped}


def condition_of(table: Table, attributes: tuple[str, ...]) -> Condition | None:
    """Return the kind of a table's labels; `attributes`: the names of vectors' numbers, if they have any."""
    if table.labels is not None and table.labels.ndim == 2:
        return Attributes(table.labels.shape[1], attributes)
    names = tuple(table.facts["classes"])
    numbered = all(name == str(number) for number, name in enumerate(names))
    return Classes(len(names), () if numbered else names) if names else None


def folder_notes(source: FileSource, root: Path, layout: Layout, table: Table, limits: Range | None) -> Notes:
    colours = {"": slice(0, 3)}  # alpha is no colour
    shared = {"left_out": source.left_out, "remark": layout.remark, "parts": colours}
    return notes_on(table.facts, root=root, limits=limits, **shared)


def replace_labels(table: Table, labels: ImageLabels) -> Table:
    """Return the same pictures with other labels."""
    digest = hashlib.sha256(f"{table.key} {labels.words}".encode())
    digest.update(labels.labels.numpy())
    return table._replace(labels=labels.labels, key=digest.hexdigest())


def decode_folder(
    source: FileSource,
    root: Path,
    layout: Layout,
    add: Add,
    *,
    size: int | None,
    channels: int | None,
    range: Range | None = None,
) -> LabelsAndFacts:
    """Decode all usable pictures, split by split. Raises ConfigError if sizes differ or none is left to train on.

    Bad files become facts of the table: `report_bad_files` decides at every load whether they matter.
    """
    from genlab.data.storage.decoder import picture_reader  # Pillow takes a moment to load
    from genlab.data.storage.image_file import PixelRule

    findings, rule = Findings(range), PixelRule(channels or detect_channels(source), size, range=range)
    stored, facts = add_splits(layout.splits, picture_reader(source, rule, findings), add, root, findings)
    labels = [layout.labels[name] for names in stored.values() for name in names]
    facts |= {"classes": layout.classes, "unused": list_names(layout.unused)}
    return LabelsAndFacts(label_array(labels) if layout.classes or isinstance(labels[0], list) else None, facts)


def label_array(labels: list) -> np.ndarray:
    """Return classes int64 [N], or vectors float32 [N, K]."""
    return np.array(labels, np.float32 if isinstance(labels[0], list) else np.int64)


def add_splits(
    splits: dict[str, list[str]], read: Reader, add: Add, root: object, findings: Findings, help: str = ""
) -> tuple[dict[str, list[str]], dict]:
    """Add all readable pictures; return names by split, and facts. Raises ConfigError if none is left to train on."""
    from genlab.data.storage.decoder import Decoder

    total = sum(map(len, splits.values()))
    log.info("%s: decoding %s images, once", root, f"{total:,}")
    decoder = Decoder(read, add, label=f"data.root={root}")
    stored, pixels = {}, {}
    for split, names in splits.items():
        stored[split] = decoder.store(names)
        pixels[split] = decoder.seen.facts()
    if not stored["train"]:
        fitting = suggest_range(findings.depths, key=asked_key(decoder.bad))
        raise unusable_error(decoder.bad, total, root, help + fitting)
    counts = {split: len(names) for split, names in stored.items()}
    return stored, {
        **{"splits": counts, "skipped": decoder.bad, "passing": decoder.passing, "unused": "", "pixels": pixels},
        **findings.facts(),
    }


def detect_channels(source: FileSource, names: Sequence[str] | None = None) -> int:
    """Return 1 if these files, or all, are grey, else 3; reads headers up to the first that is not grey."""
    from genlab.data.storage.decoder import read_file
    from genlab.data.storage.image_file import Unusable, is_grey

    for name in source.names if names is None else names:
        try:
            if not is_grey(read_file(source, name)):
                return 3
        except Unusable:  # reported when it is decoded
            continue
    return 1


def unusable_error(bad: dict[str, str], total: int, root: object, help: str = "") -> ConfigError:
    return ConfigError(
        f"data.root={root}: {len(bad)} of {total} images cannot be used:\n{list_reasons(bad)}\n"
        f"{help}Repair or remove them, or leave them out with data.on_error=skip."
    )


def asked_key(bad: dict[str, str]) -> str:
    """Return the key that would say which values are black and white: of the sources if a file's reason names it."""
    return SOURCE_KEY if any(SOURCE_KEY in reason for reason in bad.values()) else "data.range"


def list_reasons(bad: dict[str, str]) -> str:
    lines = [f"  {name}: {reason}" for name, reason in sorted(bad.items())[:MAX_NAMES_LISTED]]
    return "\n".join(lines + [f"  and {len(bad) - MAX_NAMES_LISTED} more"] * (len(bad) > MAX_NAMES_LISTED))


def report_bad_files(facts: dict, root: object, skip: bool, limits: Range | None = None, help: str = "") -> None:
    """Raise ConfigError for bad files, or warn of them if `skip`; warn of images outside of the splits."""
    if limits is None:
        refuse_choice_by_value(facts["depths"], root)
    bad = facts["skipped"]
    total = sum(facts["splits"].values()) + len(bad)
    if bad and not skip:
        fitting = "" if limits else suggest_range(facts["depths"], key=asked_key(bad))
        raise unusable_error(bad, total, root, help + fitting)
    if bad:
        said = "data.root=%s: %d of %d images are left out (data.on_error=skip):\n%s"
        log.warning(said, root, len(bad), total, list_reasons(bad))
    if facts["unused"]:
        log.warning("data.root=%s: not in the splits that are used: %s", root, facts["unused"])
