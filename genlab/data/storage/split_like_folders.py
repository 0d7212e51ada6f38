"""Folders whose names speak of training and testing without being plain splits: they are neither read nor guessed."""

from collections import Counter

from genlab.core.errors import ConfigError
from genlab.data.storage.archives import list_names
from genlab.data.storage.split_names import OTHER_PARTS, TRAINING, Members, looks_like_split, split_of, words_of


def refuse_split_like(classes: list[str], parts: Members, *, split_only: bool) -> None:
    """Raise ConfigError for folders that speak of training and testing, and are no plain splits.

    Below folders of splits (`split_only`) these are folders of which most do; else any name of a split, but for one
    folder `train` among names that say nothing.
    """
    kinds = {name: kind for name in classes if (kind := looks_like_split(name))}
    mostly = len(set(kinds.values())) == 2 and 2 * len(kinds) > len(classes)
    if mostly or not split_only and has_loose_split(classes):
        counts = Counter(found[0] for found in parts.values())
        raise ConfigError(
            f"data.root: the folders {list_names(f'{name} ({counts[name]:,} images)' for name in classes)} speak of "
            "training and testing, but not as `train` and `test` do. As classes they would let test pictures be "
            f"trained on, {len(parts):,} pictures of {len(classes)} classes; as splits {describe_splits(classes)}. Two "
            "kinds of pictures, such as trainA and trainB, are data=unpaired or data=pairs; for other sets call the "
            "folders train and test, with the classes inside, or name one of them: data.root=PATH/FOLDER. A class of "
            "such a name lies in a folder train, beside a folder test. To train on all of them: data.classes=none for "
            "one set without classes, data.classes=folders for each as a class."
        )


def has_loose_split(classes: list[str]) -> bool:
    """Tell whether a folder has a split's name, but for `train` alone beside names that say nothing of splits."""
    spelled = [name for name in classes if split_of(name)]
    others = [name for name in classes if name not in spelled and (looks_like_split(name) or is_other_part(name))]
    alone = len(spelled) == 1 and split_of(spelled[0]) in TRAINING and not others
    return bool(spelled) and not alone


def is_other_part(folder: str) -> bool:
    return bool(words_of(folder) & set(OTHER_PARTS))


def describe_splits(classes: list[str]) -> str:
    kinds = {name: looks_like_split(name) for name in classes}
    said = {"train": "would train", "test": "would test", None: "would be in neither"}
    found = {kind: [name for name in classes if kinds[name] == kind] for kind in said}
    return ", ".join(f"{list_names(names)} {said[kind]}" for kind, names in found.items() if names)
