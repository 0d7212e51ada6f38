"""What the folders around images mean: splits and classes."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from os.path import commonprefix
from typing import NamedTuple

from genlab.data.sources import listed
from genlab.errors import ConfigError

TRAINING = "train"
TESTING = ("val", "valid", "validation", "test")  # the first of them that there is: ImageNet's test has no labels

Parts = tuple[str, ...]


class Layout(NamedTuple):
    splits: dict[str, list[str]]  # train and perhaps test -> names, in an order that has nothing to do with classes
    classes: list[str]  # sorted; empty without class folders
    labels: dict[str, int]  # name -> class; -1 if it has none
    unused: list[str]  # names outside of the splits


def layout(names: Sequence[str]) -> Layout:
    """Folders that hold everything are looked through. Then `train` beside one of TESTING are splits, else all
    images train; in a split every folder is a class, ImageNet's way, and a single one is none.

    Raises ConfigError if images lie beside class folders, or the test split has a class that training lacks.
    """
    inner = stripped({name: tuple(name.split("/")) for name in names})
    tops = {parts[0] for parts in inner.values() if len(parts) > 1}
    testing = next((top for top in TESTING if top in tops), None)
    if TRAINING not in tops or testing is None:
        chosen = {"train": inner}
    else:
        chosen = {"train": below(inner, TRAINING), "test": below(inner, testing)}
    classes = classes_of(chosen["train"])
    labels = {name: label(parts, classes) for split in chosen.values() for name, parts in split.items()}
    splits = {split: sorted(members, key=_shuffled) for split, members in chosen.items()}
    return Layout(splits, classes, labels, [name for name in names if name not in labels])


def stripped(parts: dict[str, Parts]) -> dict[str, Parts]:
    """Without the folders that all of them share."""
    depth = len(commonprefix([found[:-1] for found in parts.values()]))
    return {name: found[depth:] for name, found in parts.items()}


def below(parts: dict[str, Parts], top: str) -> dict[str, Parts]:
    return {name: found[1:] for name, found in parts.items() if found[0] == top and len(found) > 1}


def classes_of(parts: dict[str, Parts]) -> list[str]:
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


def _shuffled(name: str) -> bytes:
    """A hash: the first images are then a fair sample, whatever their folders, on every machine."""
    return sha256(name.encode("utf-8", "surrogateescape")).digest()
