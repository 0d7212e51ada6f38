"""Attribute vectors of images, read from a file of NumPy's or a table such as CelebA's."""

import re
import zipfile
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.core.condition import Attributes, Condition
from genlab.core.errors import ConfigError
from genlab.core.foreign_files import read_bytes
from genlab.core.words import Words
from genlab.data.labels.unique_keys import unique
from genlab.data.storage.archives import FileSource, list_names, table_bytes
from genlab.data.storage.file_kinds import stem_of
from genlab.data.storage.packing import refuse_large
from genlab.data.storage.split_names import Members

EXPECTED_FILE = (
    "Expected an .npy file of numbers [N, K], a row for each of all images in the sorted order of their names, an "
    ".npz file with an array [K] under every name, or a .txt or .csv file with a row NAME NUMBER ... for each."
)
NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
ENTRY, GAP = re.compile(r"[^,\s]+"), re.compile(r"[,\s]\s*")  # of a row, and between two of its numbers


class ImageLabels(NamedTuple):
    """Labels of images, in the order of the images."""

    labels: Tensor  # float32 [N, K], or words int64 [N, L]
    words: tuple[str, ...] = ()  # the vocabulary: word k has the number k, from 1
    names: tuple[str, ...] = ()  # of the attributes; (): the file gives none

    @property
    def condition(self) -> Condition:
        length = self.labels.shape[1]
        return Words(self.words, length) if self.words else Attributes(length, self.names)


class Vectors:
    """Reads attribute vectors from an .npy, .npz, .txt or .csv file.

    Row i of an .npy file belongs to image i of all images below the root, sorted by their paths from there (with `/`,
    by code points, as Python's `sorted` does). An .npz file holds an array for each of these paths, with or without
    its suffix. Tables have a row for each, which may also be called by the file's own name, and perhaps a heading with
    the attributes' names; attributes of -1 and 1 become 0 and 1, as in `data=celeba`.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path).expanduser()

    def __call__(self, source: FileSource, rows: Members, training: int) -> ImageLabels:
        """Return the vectors of the images `rows`, in their order. Raises ConfigError for a file that does not fit."""
        try:
            found = self.load(table_bytes(source))
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise self._error(f"it cannot be read ({error})") from error
        if isinstance(found, np.ndarray):
            numbers = self.select_rows(found, source.names, rows)
        else:
            numbers = self.stack_arrays(found, rows)
        numbers = self.check_numbers(numbers)
        return ImageLabels(torch.from_numpy(numbers), names=self.attribute_names(numbers.shape[1]))

    def load(self, most: int) -> np.ndarray | Mapping[str, np.ndarray]:
        """Return the file's table, or its arrays by name, of at most so many bytes."""
        if self.is_table:
            return read_rows(read_bytes(self.path, most).decode("utf-8-sig"))
        refuse_large(self.path, most)
        try:
            found = np.load(self.path, allow_pickle=False, mmap_mode="r")  # which refuses a header beyond the file
            if isinstance(found, np.ndarray):
                return found
            with found:
                return {name: found[name] for name in found.files}
        except Exception as error:  # a damaged header raises nearly anything, and numpy's words advise pickle
            raise ValueError("it is damaged, or holds other things than numbers") from error

    @property
    def is_table(self) -> bool:
        return self.path.suffix.lower() in (".txt", ".csv")

    def attribute_names(self, count: int) -> tuple[str, ...]:
        return read_heading(self.path.read_bytes().decode("utf-8-sig"), count) if self.is_table else ()

    def select_rows(self, table: np.ndarray, names: Sequence[str], rows: Members) -> np.ndarray:
        count = len(table) if table.ndim else 0
        if count != len(names):
            raise self._error(f"{count} rows, and there are {len(names)} images")
        indices = {name: index for index, name in enumerate(names)}
        return table[[indices[name] for name in rows]]

    def stack_arrays(self, arrays: Mapping[str, np.ndarray], rows: Members) -> np.ndarray:
        keys = {name: [key for key in (name, stem_of(name), name.rpartition("/")[2]) if key in arrays] for name in rows}
        missing = [name for name, found in keys.items() if not found]
        if missing:
            raise self._error(f"{len(missing)} of {len(rows)} images have no array there: {list_names(missing)}")
        found = [arrays[key[0]] for key in keys.values()]
        shapes = {array.shape for array in found}
        if len(shapes) > 1:
            raise self._error(f"arrays of the shapes {' and '.join(map(str, sorted(shapes)[:2]))}")
        return np.stack(found)

    def check_numbers(self, numbers: np.ndarray) -> np.ndarray:
        if numbers.ndim != 2 or not numbers.shape[1] or numbers.dtype.kind not in "fiub":
            raise self._error(f"{numbers.dtype} of shape {list(numbers.shape)}")
        numbers = numbers.astype(np.float32)
        if not np.isfinite(numbers).all():
            raise self._error("there are numbers that are not finite")
        return numbers

    def _error(self, found: str) -> ConfigError:
        return ConfigError(f"data.conditions={self.path}: {found}. {EXPECTED_FILE}")


def read_rows(text: str) -> dict[str, np.ndarray]:
    """Return the numbers of each row `name number ...`, separated by blanks or commas; other lines are headings.

    Raises ValueError for a name with two unlike rows.
    """
    rows = map(split_row, text.splitlines())
    named = unique((name, tuple(map(float, numbers))) for name, numbers in rows if numbers)
    found = {name: np.array(numbers, np.float32) for name, numbers in named.items()}
    signs = all(set(numbers.tolist()) <= {-1.0, 1.0} for numbers in found.values())
    return {name: (numbers + 1) / 2 for name, numbers in found.items()} if signs else found


def split_row(line: str) -> tuple[str, list[str]]:
    """Return a row's name, which may hold blanks, and the numbers at its end; of a heading there are none.

    One regular expression for the row would take quadratic time on some lines.
    """
    line = line.rstrip()
    entries = list(ENTRY.finditer(line))
    if not entries or entries[-1].end() < len(line):
        return line, []
    first = len(entries)
    while first > 1 and NUMBER.fullmatch(entries[first - 1].group()):
        if not GAP.fullmatch(line, entries[first - 2].end(), entries[first - 1].start()):
            break
        first -= 1
    return line[: entries[first - 1].end()].strip(), [entry.group() for entry in entries[first:]]


def read_heading(text: str, count: int) -> tuple[str, ...]:
    """Return the names of `count` attributes from a table's heading, behind a name for the first column or alone.

    (): no line before the rows has as many different ones, or one of them is empty or a number.
    """
    for line in takewhile(lambda line: not split_row(line)[1], text.splitlines()):
        fields = [field.strip() for field in (line.split(",") if "," in line else line.split())]
        names = tuple(fields[-count:])
        if len(fields) in (count, count + 1) and len(set(names)) == count and not any(map(is_empty_or_number, names)):
            return names
    return ()


def is_empty_or_number(field: str) -> bool:
    return not field or NUMBER.fullmatch(field) is not None
