"""Folder: a user's own image files in a folder or a zip, with subfolders as classes."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.types import Count, FilePath, ProperShare, Whole
from genlab.data.labels.attribute_vectors import ImageLabels, Vectors
from genlab.data.labels.words import Words, WordsChoice
from genlab.data.storage.archives import MAX_NAMES_LISTED, SUFFIXES, FileSource, list_names, open_source
from genlab.data.storage.cache import Add, LabelsAndFacts, Reader, Table, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.folder_layout import HeldOutShare, Members, divide_into_splits, read_layout, sort_by_hash
from genlab.data.tasks import TaskChoice

log = logging.getLogger(__name__)


class Folder(CachedSet):
    """Images below a folder or in a zip archive, uint8 [N, C, H, W], decoded once into the cache.

    Folders become splits and classes by `folder_layout.read_layout`, files become pixels by `image_file.PixelRule`.
    Images are in the order of a hash of their names, so that `limit` and `holdout` take fair samples.

    Raises ConfigError if there is no image, if files cannot be decoded (all are named) and `on_error` is `error`,
    if sizes differ and `size` is null, or if an archive's members lead out of it.
    """

    def __init__(
        self,
        root: FilePath | None = None,  # a folder or a zip archive
        *,
        size: Count | None = None,  # pixels a side: centred square, resized; null: as they are, all of one size
        channels: Literal[1, 3, 4] | None = None,  # null: 1 if every file is grey, else 3; 4: RGBA
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        labelled: Count | None = None,  # training images that keep their label, the classes equally; null: all
        label_seed: Whole = 0,  # chooses which ones
        flip: bool = False,  # mirror half of the training images
        crop: Count | None = None,  # pixels a side that are shown: anywhere in training, else in the middle; null: all
        task: TaskChoice | None = None,  # makes a source of every image
        words: WordsChoice | None = None,  # condition on words of names, folders or captions instead of classes
        conditions: FilePath | None = None,  # an .npy or .npz file: condition on its numbers instead of classes
        test_share: ProperShare = 0.0,  # of the files, to test with; chosen by a hash of their names
        test_group: str | None = None,  # a pattern: files whose name's first match is equal stay in one split
        on_error: Literal["error", "skip"] = "error",  # about files that cannot be decoded
    ) -> None:
        if root is None:
            raise ConfigError("data.root=null: name the folder or zip that holds your images: data.root=PATH.")
        path = Path(root).expanduser()
        source = open_source(path)
        refuse_empty_source(source, path)
        held_out = HeldOutShare(test_share, test_group)
        key = {"content": source.content_key(), "size": size, "channels": channels, **held_out.key}
        options = {"size": size, "channels": channels}
        table = fill_once({"folder": key}, lambda add: decode_folder(source, path, held_out, add, **options))
        report_bad_files(table.facts, path, on_error == "skip")
        reader = label_reader(words, conditions)
        read = reader and reader(source, stored_members(source, held_out, table), table.facts["splits"]["train"])
        class_names = tuple(table.facts["classes"])
        classes = Classes(len(class_names), class_names) if class_names else None
        super().__init__(
            replace_labels(table, read) if read else table,
            name=path.absolute().stem,
            class_names=class_names,
            condition=read.condition if read else classes,
            limit=limit,
            holdout=holdout,
            labelled=labelled,
            label_seed=label_seed,
            flip=flip,
            crop=crop,
            task=task,
        )


def label_reader(words: WordsChoice | None, conditions: str | None) -> Words | Vectors | None:
    """Return the reader of words or attribute vectors, None for classes. Raises ConfigError for both."""
    if words is not None and conditions is not None:
        raise ConfigError(f"data.words={words} data.conditions={conditions}: images have one of them. Drop the other.")
    if conditions is not None:
        return Vectors(conditions)
    return Words(words) if isinstance(words, str) else words


def stored_members(source: FileSource, held: HeldOutShare, table: Table) -> Members:
    """Return the names of the table's rows, in their order, each with its parts below its split's folder."""
    splits = divide_into_splits(source.names, held).values()
    return {name: split[name] for split in splits for name in sort_by_hash(split) if name not in table.facts["skipped"]}


def replace_labels(table: Table, labels: ImageLabels) -> Table:
    """Return the same pictures with other labels."""
    digest = hashlib.sha256(f"{table.key} {labels.words}".encode())
    digest.update(labels.labels.numpy())
    return table._replace(labels=labels.labels, key=digest.hexdigest())


def refuse_empty_source(source: FileSource, root: Path) -> None:
    if not source.names:
        raise ConfigError(
            f"data.root={root}: no images among {source.others} files; expected {', '.join(SUFFIXES)}, "
            "in subfolders by class or without any."
        )


def decode_folder(
    source: FileSource, root: Path, held: HeldOutShare, add: Add, *, size: int | None, channels: int | None
) -> LabelsAndFacts:
    """Decode all usable pictures, split by split. Raises ConfigError if sizes differ or none is left to train on.

    Bad files become facts of the table: `report_bad_files` decides at every load whether they matter.
    """
    from genlab.data.storage.decoder import picture_reader  # Pillow takes a moment to load
    from genlab.data.storage.image_file import PixelRule

    found = read_layout(source.names, held)
    reader = picture_reader(source, PixelRule(channels or detect_channels(source), size))
    stored, facts = add_splits(found.splits, reader, add, root)
    labels = [found.labels[name] for names in stored.values() for name in names]
    facts |= {"classes": found.classes, "unused": list_names(found.unused)}
    return LabelsAndFacts(np.array(labels, np.int64) if found.classes else None, facts)


def add_splits(splits: dict[str, list[str]], read: Reader, add: Add, root: object) -> tuple[dict[str, list[str]], dict]:
    """Add all readable pictures; return names by split, and facts. Raises ConfigError if none is left to train on."""
    from genlab.data.storage.decoder import Decoder

    total = sum(map(len, splits.values()))
    log.info("%s: decoding %s images, once", root, f"{total:,}")
    decoder = Decoder(read, add, label=f"data.root={root}")
    stored = {split: decoder.store(names) for split, names in splits.items()}
    if not stored["train"]:
        raise unusable_error(decoder.bad, total, root)
    counts = {split: len(names) for split, names in stored.items()}
    return stored, {"splits": counts, "skipped": decoder.bad, "unused": ""}


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


def unusable_error(bad: dict[str, str], total: int, root: object) -> ConfigError:
    return ConfigError(
        f"data.root={root}: {len(bad)} of {total} images cannot be used:\n{list_reasons(bad)}\n"
        "Repair or remove them, or leave them out with data.on_error=skip."
    )


def list_reasons(bad: dict[str, str]) -> str:
    lines = [f"  {name}: {reason}" for name, reason in sorted(bad.items())[:MAX_NAMES_LISTED]]
    return "\n".join(lines + [f"  and {len(bad) - MAX_NAMES_LISTED} more"] * (len(bad) > MAX_NAMES_LISTED))


def report_bad_files(facts: dict, root: object, skip: bool) -> None:
    """Raise ConfigError for bad files, or warn of them if `skip`; warn of images outside of the splits."""
    bad = facts["skipped"]
    total = sum(facts["splits"].values()) + len(bad)
    if bad and not skip:
        raise unusable_error(bad, total, root)
    if bad:
        said = "data.root=%s: %d of %d images are left out (data.on_error=skip):\n%s"
        log.warning(said, root, len(bad), total, list_reasons(bad))
    if facts["unused"]:
        log.warning("data.root=%s: not in the splits that are used: %s", root, facts["unused"])
