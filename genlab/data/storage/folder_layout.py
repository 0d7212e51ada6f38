"""Layout of image folders: splits and classes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from os.path import commonprefix
from typing import Any, Literal, NamedTuple

from genlab.core.errors import ConfigError
from genlab.data.storage.archives import list_names
from genlab.data.storage.file_kinds import is_image, stem_of
from genlab.data.storage.split_like_folders import refuse_split_like
from genlab.data.storage.split_names import (
    Members,
    Parts,
    find_split_folders,
    split_of,
)

IMAGES_PER_SHARD = 1_000  # as NVIDIA's dataset_tool and FFHQ have them
ClassRule = Literal["folders", "none"] | None  # whether folders are classes; None: as labels in files or folders say


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
        stem = stem_of(file) if is_image(file) else file
        found = re.search(self.group, stem) if self.group else None
        key = found.group() if found else stem
        return int.from_bytes(name_hash(key)[:8], "big") < self.share * 2**64

    @property
    def key(self) -> dict[str, object]:
        """Return what the order of the rows depends on, for the cache."""
        return {"held": [self.share, self.group]} if self.share else {}


class GivenLabels(NamedTuple):
    """Labels that a file gives, which make folders mean nothing but splits."""

    labels: dict[str, Any]  # name -> class, or vector; names may be missing
    classes: list[str]  # empty for vectors, and where there are no labels
    digest: str  # of the file
    remark: str = ""  # on what does not fit
    attributes: list[str] = []  # names of the vectors' numbers; empty: they have none


class Division(NamedTuple):
    """The members of the splits; `by_folders` if folders told them apart."""

    members: dict[str, Members]  # train and perhaps test
    key: dict[str, object]  # how they were told apart, if not as older versions did; for the cache
    remark: str  # the same in words
    by_folders: bool = False


class Layout(NamedTuple):
    splits: dict[str, list[str]]  # train and perhaps test -> names, in the order of hashes
    classes: list[str]  # sorted; empty without class folders
    labels: dict[str, Any]  # name -> class, -1 if it has none; or its vector
    unused: list[str]  # names outside of the splits
    members: Members  # of both splits
    key: dict[str, object]  # what the reading depends on but for the names of files, for the cache
    remark: str  # the same in words


def read_layout(
    names: Sequence[str],
    held: HeldOutShare | None = None,
    given: GivenLabels | None = None,
    *,
    classes: ClassRule = None,
) -> Layout:
    """Read splits and classes from folders. Folders that all images share are skipped.

    Folders for training and testing are splits, whatever their spelling and case, outside of class folders or inside;
    else all images train but for a held-out share. As in ImageNet, each folder in a split is a class; a single one is
    not, nor are numbered shards. `given` labels come before folders. Raises ConfigError if images lie beside class
    folders, if the test split has a class that training lacks, for a held-out share beside a test split, and for
    folders that speak of splits and are none. `classes` says what folders are, before all that.
    """
    division, given = divide_into_splits(names, held), None if classes else given
    members = {name: parts for split in division.members.values() for name, parts in split.items()}
    kinds, key, remark = given_classes(given) if given else class_folders(division, classes)
    labels = {name: given.labels.get(name, -1) if given else class_index(members[name], kinds) for name in members}
    splits = {split: sort_by_hash(found) for split, found in division.members.items()}
    unused = [name for name in names if name not in labels]
    remarks = "; ".join(filter(None, (division.remark, remark)))
    return Layout(splits, kinds, labels, unused, members, division.key | key, remarks)


def divide_into_splits(names: Sequence[str], held: HeldOutShare | None = None) -> Division:
    """Return the members of the splits: train, and perhaps test."""
    inner = strip_shared_folders({name: tuple(name.split("/")) for name in names})
    found = find_split_folders(inner)
    share = held.share if held else 0
    if found and share:
        raise ConfigError(
            f"data.test_share={share}: there is a test split already, {list_names(found.testing)}. Set it to 0."
        )
    if found:
        folders = {"train": found.training, "test": found.testing}
        members = {split: found.members(inner, tops) for split, tops in folders.items()}
        remark = f"{list_names(found.training)} for training, {list_names(found.testing)} for testing"
        return Division(members, found.key, remark, by_folders=True)
    return Division(hold_out(inner, held) if held and share else {"train": inner}, {}, "")


def hold_out(inner: Members, held: HeldOutShare) -> dict[str, Members]:
    taken = {name: held.takes(name) for name in inner}
    parts = {wanted: {name: inner[name] for name in inner if taken[name] is wanted} for wanted in (False, True)}
    if not parts[False] or not parts[True]:
        raise ConfigError(
            f"data.test_share={held.share}: takes {len(parts[True])} of {len(inner)} images. Choose another share, or "
            "another data.test_group."
        )
    return {"train": parts[False], "test": parts[True]}


def sort_by_hash(members: Iterable[str]) -> list[str]:
    return sorted(members, key=name_hash)


def strip_shared_folders(parts: Members) -> Members:
    """Remove the leading folders that all names share."""
    depth = len(commonprefix([found[:-1] for found in parts.values()]))
    return {name: found[depth:] for name, found in parts.items()}


def given_classes(given: GivenLabels) -> tuple[list[str], dict[str, object], str]:
    """Return the classes of a file, what tells this reading from another, and the same in words."""
    kind = f"{len(given.classes)} classes" if given.classes else "vectors" if given.labels else "no labels"
    said = ", ".join(filter(None, (f"{kind} from dataset.json", given.remark)))
    return given.classes, {"labels": given.digest}, said


def class_folders(division: Division, rule: ClassRule) -> tuple[list[str], dict[str, object], str]:
    """Return the folders that are classes, what tells this reading from another, and the same in words."""
    parts = division.members["train"]
    classes = sorted({found[0] for found in parts.values() if len(found) > 1})
    if rule and classes:
        return classes_as_said(classes, parts, rule)
    loose = [name for name, found in parts.items() if len(found) == 1]
    if classes and loose:
        raise ConfigError(
            f"data.root: {len(loose)} images lie beside the class folders {list_names(classes)}: {list_names(loose)}. "
            "Say what folders are: data.classes=none makes all pictures one set without classes, data.classes=folders "
            "leaves those beside them without one. Or move every image into a class folder."
        )
    if len(classes) > 1:
        refuse_split_like(classes, parts, split_only=division.by_folders)
    if len(classes) > 1 and are_shards(parts):
        return [], {"shards": True}, f"numbered shards {list_names(classes)}, no classes"
    trains = [] if division.by_folders else [name for name in classes if split_of(name)]
    remark = f"no folder for testing: {list_names(trains)} is a class like the others" if trains else ""
    return (classes, {}, remark) if len(classes) > 1 else ([], {}, "")


def classes_as_said(classes: list[str], parts: Members, rule: ClassRule) -> tuple[list[str], dict[str, object], str]:
    """Return the same where the user says what folders are."""
    if rule == "none":
        return [], {"classes": rule}, "no folder is a class (data.classes=none)"
    loose = sum(len(found) == 1 for found in parts.values())
    beside = f", and {loose:,} pictures beside these folders have none" if loose else ""
    return classes, {"classes": rule}, f"{len(classes)} classes{beside} (data.classes=folders)"


def are_shards(parts: Members) -> bool:
    """Tell whether folders hold files by number, a thousand each: file 1234 in 00001 (dataset_tool) or 01000 (FFHQ)."""
    return all(len(found) == 2 and is_in_shard(*found) for found in parts.values())


def is_in_shard(folder: str, file: str) -> bool:
    numbers = re.findall(r"\d+", stem_of(file))
    if not re.fullmatch(r"\d{5}", folder) or not numbers:
        return False
    return int(numbers[-1]) // IMAGES_PER_SHARD in (int(folder), int(folder) / IMAGES_PER_SHARD)


def class_index(parts: Parts, classes: list[str]) -> int:
    if not classes or len(parts) == 1:
        return -1
    if parts[0] not in classes:
        raise ConfigError(
            f"data.root: the test split has a class {parts[0]} that the training split lacks ({list_names(classes)}). "
            "Add it there, or remove it, or train without classes: data.classes=none."
        )
    return classes.index(parts[0])


def name_hash(name: str) -> bytes:
    """Return the sort key by which the first images are a fair sample, the same on every machine."""
    return sha256(name.encode("utf-8", "surrogateescape")).digest()
