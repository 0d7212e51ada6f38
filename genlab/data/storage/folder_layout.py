"""Layout of image folders: splits and classes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from os.path import commonprefix
from typing import NamedTuple

from genlab.core.errors import ConfigError
from genlab.data.storage.archives import is_image, list_names

TRAINING_FOLDER = "train"
TEST_FOLDERS = ("val", "valid", "validation", "test")  # the first that exists is used: ImageNet's test has no labels

Parts = tuple[str, ...]
Members = dict[str, Parts]  # name -> folders below the split's, and the file's own name


@dataclass(frozen=True)
class HeldOutShare:
    """Share of the files that becomes the test split; whole groups of files, chosen by a hash of the group.

    Raises ConfigError for an invalid pattern.
    """

    share: float
    group: str | None = None  # a pattern: files whose name's first match is equal stay together; None: each by itself

    def __post_init__(self) -> None:
        try:
            re.compile(self.group or "")
        except re.error as error:
            raise ConfigError(f"data.test_group={self.group}: no regular expression ({error}).") from error
        if self.group is not None and not self.share:
            raise ConfigError(f"data.test_group={self.group}: has no effect without data.test_share=0.1, or another.")

    def takes(self, name: str) -> bool:
        file = name.rpartition("/")[2]
        stem = file.rpartition(".")[0] if is_image(file) else file
        found = re.search(self.group, stem) if self.group else None
        key = found.group() if found else stem
        return int.from_bytes(name_hash(key)[:8], "big") < self.share * 2**64

    @property
    def key(self) -> dict[str, object]:
        """Return what the order of the rows depends on, for the cache."""
        return {"held": [self.share, self.group]} if self.share else {}


class Layout(NamedTuple):
    splits: dict[str, list[str]]  # train and perhaps test -> names, in the order of hashes
    classes: list[str]  # sorted; empty without class folders
    labels: dict[str, int]  # name -> class; -1 if it has none
    unused: list[str]  # names outside of the splits


def read_layout(names: Sequence[str], held: HeldOutShare | None = None) -> Layout:
    """Read splits and classes from folders. Folders that all images share are skipped.

    `train` beside one of TEST_FOLDERS are splits; else all images train but for a held-out share. As in ImageNet, each
    folder in a split is a class; a single one is not. Raises ConfigError if images lie beside class folders, if the
    test split has a class that training lacks, or for a held-out share beside a test split.
    """
    chosen = divide_into_splits(names, held)
    classes = class_folders(chosen["train"])
    labels = {name: class_index(parts, classes) for split in chosen.values() for name, parts in split.items()}
    splits = {split: sort_by_hash(members) for split, members in chosen.items()}
    return Layout(splits, classes, labels, [name for name in names if name not in labels])


def divide_into_splits(names: Sequence[str], held: HeldOutShare | None = None) -> dict[str, Members]:
    """Return the members of the splits: train, and perhaps test."""
    inner = strip_shared_folders({name: tuple(name.split("/")) for name in names})
    tops = {parts[0] for parts in inner.values() if len(parts) > 1}
    testing = next((top for top in TEST_FOLDERS if top in tops), None)
    share = held.share if held else 0
    if TRAINING_FOLDER in tops and testing is not None:
        if share:
            raise ConfigError(f"data.test_share={share}: there is a test split already, {testing}. Set it to 0.")
        return {"train": members_below(inner, TRAINING_FOLDER), "test": members_below(inner, testing)}
    if not share:
        return {"train": inner}
    taken = {name: held.takes(name) for name in inner}
    parts = {wanted: {name: inner[name] for name in inner if taken[name] is wanted} for wanted in (False, True)}
    if not parts[False] or not parts[True]:
        raise ConfigError(
            f"data.test_share={share}: takes {len(parts[True])} of {len(inner)} images. Choose another share, or "
            "another data.test_group."
        )
    return {"train": parts[False], "test": parts[True]}


def sort_by_hash(members: Sequence[str] | Members) -> list[str]:
    return sorted(members, key=name_hash)


def strip_shared_folders(parts: Members) -> Members:
    """Remove the leading folders that all names share."""
    depth = len(commonprefix([found[:-1] for found in parts.values()]))
    return {name: found[depth:] for name, found in parts.items()}


def members_below(parts: Members, top: str) -> Members:
    return {name: found[1:] for name, found in parts.items() if found[0] == top and len(found) > 1}


def class_folders(parts: Members) -> list[str]:
    classes = sorted({found[0] for found in parts.values() if len(found) > 1})
    loose = [name for name, found in parts.items() if len(found) == 1]
    if classes and loose:
        raise ConfigError(
            f"data.root: {len(loose)} images lie beside the class folders {list_names(classes)}: {list_names(loose)}. "
            "Move every image into a class folder, or all of them into one folder."
        )
    return classes if len(classes) > 1 else []


def class_index(parts: Parts, classes: list[str]) -> int:
    if not classes or len(parts) == 1:
        return -1
    if parts[0] not in classes:
        raise ConfigError(
            f"data.root: the test split has a class {parts[0]} that the training split lacks ({list_names(classes)}). "
            "Add it there, or remove it."
        )
    return classes.index(parts[0])


def name_hash(name: str) -> bytes:
    """Return the sort key by which the first images are a fair sample, the same on every machine."""
    return sha256(name.encode("utf-8", "surrogateescape")).digest()
