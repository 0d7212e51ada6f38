"""What folders' names say of the pictures in them: training or testing, domain A or B."""

import re
from collections.abc import Iterable
from typing import NamedTuple

# Training and validation together: they train where there is no folder for training alone.
WITH_VALIDATION = ("trainval", "trainvalid", "trainvalidation", "development")
TRAINING = ("train", "training", "trn", *WITH_VALIDATION)
VALIDATION = ("val", "valid", "validation")
# The first that exists is used: ImageNet's test has no labels.
TESTING = (*VALIDATION, "test", "dev", "testing", "tst", "eval", "evaluation", "holdout", "heldout")
SHORT = {"train": ("tr",), "test": ("ts", "te")}  # seen at the end of names: imagesTr, imagesTs
# Other parts of data sets: beside a folder `train` they are neither classes nor plainly a test.
OTHER_PARTS = (
    *("extra", "unlabeled", "unlabelled", "unsup", "predict", "pred", "prediction", "predictions", "inference"),
    *("query", "gallery", "probe", "submission", "challenge", "minival", "public", "private"),
)
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
        training, testing = pair_splits(folders_at(parts, depth))
        if training and testing:
            return SplitFolders(depth, training, testing)
    return None


def pair_splits(folders: list[str]) -> tuple[list[str], list[str]]:
    """Return the folders for training, and those for testing that share no picture with them by their names."""
    spelled = {name: split for name in folders if (split := split_of(name))}
    plain = [name for name, split in spelled.items() if split in TRAINING and split not in WITH_VALIDATION]
    training = plain or [name for name, split in spelled.items() if split in WITH_VALIDATION]
    barred = TRAINING if plain else (*TRAINING, *VALIDATION, "dev")
    testing = {name: split for name, split in spelled.items() if split not in barred}
    first = min(testing.values(), key=TESTING.index, default=None)
    return training, [name for name, split in testing.items() if split == first]


def folders_at(parts: Members, depth: int) -> list[str]:
    return sorted({found[depth] for found in parts.values() if len(found) > depth + 1})


def split_of(folder: str) -> str | None:
    """Return the split that a folder's name spells: `Test_set` is `test`, `held-out` is `heldout`; None: none."""
    word = "".join(word for word in re.findall("[a-z]+", folder.lower()) if word not in FILLERS)
    spellings = {word, *(word.removesuffix(filler) for filler in FILLERS)}
    return next((split for split in (*TRAINING, *TESTING) if split in spellings), None)


def looks_like_split(folder: str) -> str | None:
    """Return `train` or `test` if one of the words in a folder's name speaks of it: `seg_train`, `testA`."""
    words = words_of(folder)
    known = {"train": {*TRAINING, *SHORT["train"]}, "test": {*TESTING, *SHORT["test"]}}
    if split := split_of(folder):
        return "train" if split in TRAINING else "test"
    found = [kind for kind, spellings in known.items() if words & spellings]
    return found[0] if len(found) == 1 else None


def words_of(folder: str) -> set[str]:
    return {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", folder)}


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
