"""What the folders around images mean: splits and classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from os.path import commonprefix
from typing import NamedTuple

from genlab.core.errors import ConfigError
from genlab.data.storage.archives import is_image, listed

TRAINING = "train"
TESTING = ("val", "valid", "validation", "test")  # the first of them that there is: ImageNet's test has no labels

Parts = tuple[str, ...]
Members = dict[str, Parts]  # name -> folders below the split's, and the file's own name


@dataclass(frozen=True)
class Held:
    """A share of the files becomes the test split, groups of them as a whole: chosen by a hash of the group.

    Raises ConfigError for a pattern that is none.
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
        return int.from_bytes(shuffled(key)[:8], "big") < self.share * 2**64

    @property
    def key(self) -> dict[str, object]:
        """For the cache: what the order of the rows depends on."""
        return {"held": [self.share, self.group]} if self.share else {}


class Layout(NamedTuple):
    splits: dict[str, list[str]]  # train and perhaps test -> names, in an order that has nothing to do with classes
    classes: list[str]  # sorted; empty without class folders
    labels: dict[str, int]  # name -> class; -1 if it has none
    unused: list[str]  # names outside of the splits


def layout(names: Sequence[str], held: Held | None = None) -> Layout:
    """Folders that hold everything are looked through. Then `train` beside one of TESTING are splits, else all
    images train but for those that are held; in a split every folder is a class, ImageNet's way, and a single one is
    none.

    Raises ConfigError if images lie beside class folders, the test split has a class that training lacks, or there
    is a test split already where some are to be held.
    """
    chosen = divided(names, held)
    classes = classes_of(chosen["train"])
    labels = {name: label(parts, classes) for split in chosen.values() for name, parts in split.items()}
    splits = {split: in_order(members) for split, members in chosen.items()}
    return Layout(splits, classes, labels, [name for name in names if name not in labels])


def divided(names: Sequence[str], held: Held | None = None) -> dict[str, Members]:
    """The splits: train, and perhaps test."""
    inner = stripped({name: tuple(name.split("/")) for name in names})
    tops = {parts[0] for parts in inner.values() if len(parts) > 1}
    testing = next((top for top in TESTING if top in tops), None)
    share = held.share if held else 0
    if TRAINING in tops and testing is not None:
        if share:
            raise ConfigError(f"data.test_share={share}: there is a test split already, {testing}. Set it to 0.")
        return {"train": below(inner, TRAINING), "test": below(inner, testing)}
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


def in_order(members: Sequence[str] | Members) -> list[str]:
    return sorted(members, key=shuffled)


def stripped(parts: Members) -> Members:
    """Without the folders that all of them share."""
    depth = len(commonprefix([found[:-1] for found in parts.values()]))
    return {name: found[depth:] for name, found in parts.items()}


def below(parts: Members, top: str) -> Members:
    return {name: found[1:] for name, found in parts.items() if found[0] == top and len(found) > 1}


def classes_of(parts: Members) -> list[str]:
    classes = sorted({found[0] for found in parts.values() if len(found) > 1})
    loose = [name for name, found in parts.items() if len(found) == 1]
    if classes and loose:
        raise ConfigError(
            f"data.root: {len(loose)} images lie beside the class folders {listed(classes)}: {listed(loose)}. "
            "Move every image into a class folder, or all of them into one folder."
        )
    return classes if len(classes) > 1 else []


def label(parts: Parts, classes: list[str]) -> int:
    if not classes or len(parts) == 1:
        return -1
    if parts[0] not in classes:
        raise ConfigError(
            f"data.root: the test split has a class {parts[0]} that the training split lacks ({listed(classes)}). "
            "Add it there, or remove it."
        )
    return classes.index(parts[0])


def shuffled(name: str) -> bytes:
    """A hash: the first images are then a fair sample, whatever their folders, on every machine."""
    return sha256(name.encode("utf-8", "surrogateescape")).digest()
