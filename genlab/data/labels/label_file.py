"""Labels from dataset.json: {"labels": [[name, label], ...] or null}, as NVIDIA's tools and `mode=save` write it.

`mode=save` adds "class_names": [...], the names of classes 0, 1, ..., or "attribute_names", those of vectors.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from genlab.core.errors import ConfigError
from genlab.data.labels.unique_keys import read_json
from genlab.data.labels.word_reader import read_text, shared_folder
from genlab.data.storage.archives import FileSource, list_names, table_bytes, table_values
from genlab.data.storage.file_kinds import LABEL_FILE
from genlab.data.storage.folder_layout import GivenLabels
from genlab.data.storage.split_names import split_of

MAX_NUMBER = 3e38  # of float32
EXPECTED = (
    'Expected {"labels": [["name.png", 0], ...]}, a class from 0 or a list of numbers a picture, or null for none.'
)


def read_label_files(source: FileSource) -> GivenLabels | None:
    """Return the labels of dataset.json in the root, the folder that all images share or a split's; None: no file.

    Classes are numbered, and perhaps named, as in the file; a class that it gives no picture is there all the same. A
    picture that it leaves out has no class. A file without a key `labels` is another program's. Raises ConfigError for
    labels that are neither classes nor vectors of one length, for vectors of some pictures alone, and if names of
    pictures or classes do not fit.
    """
    shared = shared_folder(source.names)
    folders = {file: file[: -len(LABEL_FILE)] for file in source.label_files}
    files = {file: folder for file, folder in folders.items() if folder in ("", shared) or is_split(folder)}
    contents = {file: read_text(source, file, table_bytes(source)) for file in files}
    most = table_values(source)
    entries = {file: found for file, text in contents.items() if (found := parse(file, text, most)) is not None}
    if not entries:
        return None
    labels = {files[file] + name: label for file, found in entries.items() for name, label in found.items()}
    digest = hashlib.sha256("".join(contents[file] for file in sorted(entries)).encode()).hexdigest()
    given = {file: read_json(contents[file], most) for file in entries}
    read = to_classes_or_vectors(labels, source.names, digest, list_names(entries), names_in(given, "class_names"))
    return read._replace(attributes=attribute_names(read, given))


def is_split(folder: str) -> bool:
    return split_of(folder.rstrip("/").rpartition("/")[2]) is not None


def parse(file: str, text: str, most: int) -> dict[str, Any] | None:
    """Return the label of each name, without those that are null; None: not a file of labels."""
    try:
        content = read_json(text, most)
        if not isinstance(content, dict) or "labels" not in content:
            return None
        found = content["labels"] or {}
        pairs = list(found.items() if isinstance(found, Mapping) else found)
        labels = {name.replace("\\", "/"): label for name, label in pairs}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}). {EXPECTED}") from error
    unlike = sorted({name for name, label in pairs if labels[name.replace("\\", "/")] != label})
    if unlike:
        raise ConfigError(f"{file}: names with two different labels: {list_names(unlike)}. Leave one label a picture.")
    return {name: label for name, label in labels.items() if label is not None}


def attribute_names(labels: GivenLabels, contents: dict[str, dict]) -> list[str]:
    """Return the names of vectors' attributes; []: none. Raises ConfigError unless there are as many as numbers."""
    lengths = {len(label) for label in labels.labels.values() if isinstance(label, list)}
    names = names_in(contents, "attribute_names") if lengths else []
    if names and lengths != {len(names)}:
        raise ConfigError(
            f"{list_names(contents)}: attribute_names has {len(names)} names for vectors of {max(lengths)} numbers. "
            "Name every number."
        )
    return names


def names_in(contents: dict[str, dict], key: str) -> list[str]:
    """Return the names that files of labels give under `key`; []: none. Raises ConfigError for unfit or unlike ones."""
    given = {file: found for file, content in contents.items() if (found := content.get(key))}
    for file, names in given.items():
        texts = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
        if not texts or len(set(names)) < len(names) or names != next(iter(given.values())):
            raise ConfigError(
                f"{file}: {key}={str(names)[:200]}: expected a list of texts, all different, and the same in every "
                "file."
            )
    return next(iter(given.values()), [])


def to_classes_or_vectors(
    labels: dict[str, Any], names: list[str], digest: str, file: str, called: list[str]
) -> GivenLabels:
    """Return the labels of the names that are pictures here."""
    known = {name: labels[name] for name in names if name in labels}
    if labels and not known:
        raise ConfigError(
            f"{file}: none of its {len(labels)} names is a picture here. It names {next(iter(labels))} and others; "
            f"there are {list_names(names[:2])} and others. Correct the names, or remove the file."
        )
    if not known:
        return GivenLabels({}, [], digest)
    strays = [name for name in labels if name not in known]
    missing = f"{len(strays):,} of its names match no file: {list_names(strays)}" if strays else ""
    if all(map(is_class, known.values())):
        classes = {name: int(label) for name, label in known.items()}
        called, unused = name_classes(classes, called, len(names), file)
        remark = ", ".join(filter(None, (missing, unused)))
        return GivenLabels(classes, called, digest, remark) if len(called) > 1 else GivenLabels({}, [], digest, missing)
    refuse_unlike_vectors(known, names, file)
    return GivenLabels(known, [], digest, missing)


def name_classes(classes: dict[str, int], called: list[str], files: int, file: str) -> tuple[list[str], str]:
    """Return the names of classes 0, 1, ..., their numbers by default, and a remark on those without a picture.

    Raises ConfigError for a class without a name, and for more unnamed classes than there are files.
    """
    count = 1 + max(classes.values())
    if called and len(called) < count:
        raise ConfigError(f"{file}: class {count - 1}, and class_names has {len(called)} names. Name every class.")
    if not called and count > max(files, 2):
        name = max(classes, key=lambda name: classes[name])
        raise ConfigError(
            f"{file}: the label {count - 1} of {name} makes {count:,} classes of {files:,} files. Number the classes "
            "from 0 without gaps, or give vectors, [numbers], where labels are no classes."
        )
    called = called or list(map(str, range(count)))
    empty = [called[number] for number in sorted(set(range(len(called))) - set(classes.values()))]
    return called, f"{len(empty):,} classes without a picture: {list_names(empty)}" if empty else ""


def is_class(label: Any) -> bool:
    return is_number(label) and label == int(label) and label >= -1  # -1: none


def is_number(label: Any) -> bool:
    return isinstance(label, (int, float)) and abs(label) < MAX_NUMBER  # `math.isfinite` fails on very long integers


def refuse_unlike_vectors(labels: dict[str, Any], names: list[str], file: str) -> None:
    """Raise ConfigError unless all names have a vector of the same length."""
    wrong = [(name, label) for name, label in labels.items() if not is_vector(label)]
    if wrong:
        name, label = wrong[0]
        raise ConfigError(f"{file}: {len(wrong)} labels such as {str(label)[:40]} of {name}. {EXPECTED}")
    lengths = sorted({len(label) for label in labels.values()})
    if len(lengths) > 1:
        raise ConfigError(f"{file}: vectors of {lengths[0]} and of {lengths[-1]} numbers. {EXPECTED}")
    missing = [name for name in names if name not in labels]
    if missing:
        raise ConfigError(
            f"{file}: gives vectors, and {len(missing)} of {len(names)} pictures have none: {list_names(missing)}. "
            "Add theirs, or remove these pictures."
        )


def is_vector(label: Any) -> bool:
    return isinstance(label, list) and len(label) > 0 and all(map(is_number, label))
