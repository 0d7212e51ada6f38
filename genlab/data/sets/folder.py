"""A user's own image files: a folder or a zip, with subfolders as classes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.types import Count, ProperShare, Whole
from genlab.data.labels.attribute_vectors import Told, Vectors
from genlab.data.labels.words import Words, WordsChoice
from genlab.data.storage.archives import SHOWN, SUFFIXES, Source, listed, open_source
from genlab.data.storage.cache import Add, Rest, Table, cached
from genlab.data.storage.cached_set import Stored
from genlab.data.storage.folder_layout import Held, Members, divided, in_order, layout
from genlab.data.tasks import TaskChoice

if TYPE_CHECKING:
    from genlab.data.storage.decoder import Read

log = logging.getLogger(__name__)


class Folder(Stored):
    """Images below a folder or in a zip archive, uint8 [N, C, H, W], decoded once into the cache.

    Folders mean what `layout` says; files become pixels as `pictures.Rule` says. The order of the images is a hash of
    their names, so that `limit` and `holdout` take fair samples.

    Raises ConfigError if there is no image, if files give none (all of them are named) and `on_error` is `error`,
    if sizes differ and `size` is null, or if an archive's members lead out of it.
    Files of a split of their own (`train` beside `test`) are not held out again.
    """

    def __init__(
        self,
        root: str | None = None,  # a folder or a zip archive
        *,
        size: Count | None = None,  # pixels a side: centred square, resized; null: as they are, all of one size
        channels: Literal[1, 3, 4] | None = None,  # null: 1 if every file is grey, else 3; 4: RGBA
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        labelled: Count | None = None,  # training images that keep their label, the classes equally; null: all
        label_seed: Whole = 0,  # which ones
        flip: bool = False,  # mirror half of the training images
        crop: Count | None = None,  # pixels a side that are shown: anywhere in training, else in the middle; null: all
        task: TaskChoice | None = None,  # makes a source of every image
        words: WordsChoice | None = None,  # models are told words of names, folders or captions, and no class
        conditions: str | None = None,  # an .npy or .npz file: models are told its numbers, and no class
        test_share: ProperShare = 0.0,  # of the files, to test with; chosen by a hash of their names
        test_group: str | None = None,  # a pattern: files whose name's first match is equal stay in one split
        on_error: Literal["error", "skip"] = "error",  # what to do about files that give no image
    ) -> None:
        if root is None:
            raise ConfigError("data.root=null: name the folder or zip that holds your images: data.root=PATH.")
        path = Path(root).expanduser()
        source = open_source(path)
        refuse_nothing(source, path)
        held = Held(test_share, test_group)
        key = {"content": source.content_key(), "size": size, "channels": channels, **held.key}
        table = cached({"folder": key}, lambda add: decode(source, path, held, add, size=size, channels=channels))
        check_skipped(table.facts, path, on_error == "skip")
        told = teller(words, conditions)
        known = told and told(source, rows_of(source, held, table), table.facts["splits"]["train"])
        class_names = table.facts["classes"]
        super().__init__(
            retold(table, known) if known else table,
            name=path.absolute().stem,
            class_names=class_names,
            condition=known.condition if known else Classes(len(class_names)) if class_names else None,
            limit=limit,
            holdout=holdout,
            labelled=labelled,
            label_seed=label_seed,
            flip=flip,
            crop=crop,
            task=task,
        )


def teller(words: WordsChoice | None, conditions: str | None) -> Words | Vectors | None:
    """What says what models are told of images. Raises ConfigError for two."""
    if words is not None and conditions is not None:
        raise ConfigError(f"data.words={words} data.conditions={conditions}: images have one of them. Drop the other.")
    if conditions is not None:
        return Vectors(conditions)
    return Words(words) if isinstance(words, str) else words


def rows_of(source: Source, held: Held, table: Table) -> Members:
    """The names that gave a picture, in the order of the table's rows; each with its parts below its split."""
    splits = divided(source.names, held).values()
    return {name: split[name] for split in splits for name in in_order(split) if name not in table.facts["skipped"]}


def retold(table: Table, told: Told) -> Table:
    """The same pictures with other labels."""
    digest = hashlib.sha256(f"{table.key} {told.words}".encode())
    digest.update(told.labels.numpy())
    return table._replace(labels=told.labels, key=digest.hexdigest())


def refuse_nothing(source: Source, root: Path) -> None:
    if not source.names:
        raise ConfigError(
            f"data.root={root}: no images among {source.others} files; expected {', '.join(SUFFIXES)}, "
            "in subfolders by class or without any."
        )


def decode(source: Source, root: Path, held: Held, add: Add, *, size: int | None, channels: int | None) -> Rest:
    """Every picture that can be used, split by split. Raises ConfigError if sizes differ or none is left to train on.

    Bad files are facts of the table: whether they matter is asked at every load.
    """
    from genlab.data.storage.decoder import reader  # Pillow takes a moment to load
    from genlab.data.storage.image_file import Rule

    found = layout(source.names, held)
    stored, facts = store(found.splits, reader(source, Rule(channels or channels_of(source), size)), add, root)
    labels = [found.labels[name] for names in stored.values() for name in names]
    facts |= {"classes": found.classes, "unused": listed(found.unused)}
    return Rest(np.array(labels, np.int64) if found.classes else None, facts)


def store(splits: dict[str, list[str]], read: Read, add: Add, root: object) -> tuple[dict[str, list[str]], dict]:
    """Adds what can be read, split by split: those names, and facts of the table. Raises ConfigError if none is left
    to train on.
    """
    from genlab.data.storage.decoder import Decoder

    total = sum(map(len, splits.values()))
    log.info("%s: decoding %s images, once", root, f"{total:,}")
    decoder = Decoder(read, add, label=f"data.root={root}")
    stored = {split: decoder.store(names) for split, names in splits.items()}
    if not stored["train"]:
        raise unusable(decoder.bad, total, root)
    counts = {split: len(names) for split, names in stored.items()}
    return stored, {"splits": counts, "skipped": decoder.bad, "unused": ""}


def channels_of(source: Source, names: Sequence[str] | None = None) -> int:
    """From the headers of these files, or of all, up to the first that is not grey."""
    from genlab.data.storage.decoder import content
    from genlab.data.storage.image_file import Unusable, is_grey

    for name in source.names if names is None else names:
        try:
            if not is_grey(content(source, name)):
                return 3
        except Unusable:  # named when it is decoded
            continue
    return 1


def unusable(bad: dict[str, str], total: int, root: object) -> ConfigError:
    return ConfigError(
        f"data.root={root}: {len(bad)} of {total} images cannot be used:\n{described(bad)}\n"
        "Repair or remove them, or leave them out with data.on_error=skip."
    )


def described(bad: dict[str, str]) -> str:
    lines = [f"  {name}: {reason}" for name, reason in sorted(bad.items())[:SHOWN]]
    return "\n".join(lines + [f"  and {len(bad) - SHOWN} more"] * (len(bad) > SHOWN))


def check_skipped(facts: dict, root: object, skip: bool) -> None:
    """Raises ConfigError for bad files, or warns of them; warns of images outside of the splits."""
    bad = facts["skipped"]
    total = sum(facts["splits"].values()) + len(bad)
    if bad and not skip:
        raise unusable(bad, total, root)
    if bad:
        said = "data.root=%s: %d of %d images are left out (data.on_error=skip):\n%s"
        log.warning(said, root, len(bad), total, described(bad))
    if facts["unused"]:
        log.warning("data.root=%s: not in the splits that are used: %s", root, facts["unused"])
