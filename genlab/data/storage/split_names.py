"""What folders' names say of the pictures in them: training or testing, domain A or B."""

import re
from collections.abc import Iterable
from typing import NamedTuple

TRAINING = ("train", "training", "trn")
# The first that exists is used: ImageNet's test has no labels.
TESTING = ("val", "valid", "validation", "test", "dev", "testing", "tst", "eval", "evaluation")
FILLERS = ("set", "data", "dataset", "split", "images", "image", "imgs", "img", "pictures", "photos", "files")
DOMAINS = ("domain", "side", "set")

Parts = tuple[str, ...]
Members = dict[str, Parts]  # name -> folders below the split's, and the file's own name


class SplitFolders(NamedTuple):
    """The folders of both splits, all at one depth: outside of class folders (0) or inside."""

    depth: int
    training: list[str]
    testing: list[str]  # of one spelling but for case: what is named otherwise is left out

    def members(self, parts: Members, folders: list[str]) -> Members:
        """Return the files below some of the folders, with their parts but for the split's."""
        at, wanted = self.depth, set(folders)
        return {
            name: found[:at] + found[at + 1 :]
            for name, found in parts.items()
            if len(found) > at + 1 and found[at] in wanted
        }

    @property
    def key(self) -> dict[str, object]:
        """Return what tells this reading from that of older versions, which knew few spellings; for the cache."""
        plain = self.depth == 0 and self.training == ["train"] and self.testing in (["val"], ["valid"], ["validation"])
        plain = plain or (self.depth, self.training, self.testing) == (0, ["train"], ["test"])
        return {} if plain else {"splits": [self.depth, self.training, self.testing]}


def find_split_folders(parts: Members) -> SplitFolders | None:
    """Return the folders for training and testing at the first depth that has both; None: there are none."""
    for depth in range(3):
        folders = folders_at(parts, depth)
        training = [name for name in folders if split_of(name) in TRAINING]
        testing = [split for name in folders if (split := split_of(name)) in TESTING]
        if training and testing:
            first = min(testing, key=TESTING.index)
            return SplitFolders(depth, training, [name for name in folders if split_of(name) == first])
    return None


def folders_at(parts: Members, depth: int) -> list[str]:
    return sorted({found[depth] for found in parts.values() if len(found) > depth + 1})


def split_of(folder: str) -> str | None:
    """Return the split that a folder's name spells: `Test_set` is `test`, `train2017` is `train`; None: none."""
    words = [word for word in re.findall("[a-z]+", folder.lower()) if word not in FILLERS]
    if len(words) != 1:
        return None
    spellings = {words[0], *(words[0].removesuffix(filler) for filler in FILLERS)}
    return next((split for split in (*TRAINING, *TESTING) if split in spellings), None)


def looks_like_split(folder: str) -> str | None:
    """Return `train` or `test` if one of the words in a folder's name speaks of it: `seg_train`, `testA`."""
    words = {word.lower() for word in re.findall("[A-Z]?[a-z]+", folder)}
    found = [kind for kind, known in (("train", TRAINING), ("test", TESTING)) if words & set(known)]
    return found[0] if len(found) == 1 else None


def side_of(folder: str) -> tuple[str, str | None] | None:
    """Return the domain that a folder's name spells, and its split: `trainA` is A, train; None: another name."""
    name = re.sub("[-_ ]", "", folder.lower())
    for side, rest in ((name[-1:], name[:-1]), (name[:1], name[1:])):
        if side in ("a", "b") and (rest in ("", *DOMAINS) or split_of(rest)):
            return side.upper(), split_of(rest)
    return None


def find_sides(folders: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """Return domain and split by folder, if these are folders of A and of B; else none.

    Single letters beyond B are an alphabet of folders.
    """
    folders = list(folders)
    sides = {folder: side for folder in folders if (side := side_of(folder))}
    alphabet = any(len(folder) == 1 and folder.isalpha() and folder.lower() not in "ab" for folder in folders)
    both = {side for side, _ in sides.values()} == {"A", "B"}
    return sides if both and not alphabet else {}
