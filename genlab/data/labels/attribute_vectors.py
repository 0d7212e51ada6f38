"""Attribute vectors of images, read from a file of NumPy's."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from genlab.core.condition import Attributes, Condition
from genlab.core.errors import ConfigError
from genlab.core.words import Words
from genlab.data.storage.archives import FileSource, list_names
from genlab.data.storage.file_kinds import stem_of
from genlab.data.storage.split_names import Members

EXPECTED_FILE = (
    "Expected an .npy file of numbers [N, K], a row for each of all images in the sorted order of their names, or an "
    ".npz file with an array [K] under every name."
)


class ImageLabels(NamedTuple):
    """Labels of images, in the order of the images."""

    labels: Tensor  # float32 [N, K], or words int64 [N, L]
    words: tuple[str, ...] = ()  # the vocabulary: word k has the number k, from 1

    @property
    def condition(self) -> Condition:
        length = self.labels.shape[1]
        return Words(self.words, length) if self.words else Attributes(length)


class Vectors:
    """Reads attribute vectors from an .npy or .npz file.

    Row i of an .npy file belongs to image i of all images below the root, sorted by their paths from there (with `/`,
    by code points, as Python's `sorted` does). An .npz file holds an array for each of these paths, with or without
    its suffix.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path).expanduser()

    def __call__(self, source: FileSource, rows: Members, training: int) -> ImageLabels:
        """Return the vectors of the images `rows`, in their order. Raises ConfigError for a file that does not fit."""
        try:
            found = np.load(self.path, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise self._error(f"it cannot be read ({error})") from error
        by_row = isinstance(found, np.ndarray)
        numbers = self.select_rows(found, source.names, rows) if by_row else self.stack_arrays(found, rows)
        return ImageLabels(torch.from_numpy(self.check_numbers(numbers)))

    def select_rows(self, table: np.ndarray, names: Sequence[str], rows: Members) -> np.ndarray:
        count = len(table) if table.ndim else 0
        if count != len(names):
            raise self._error(f"{count} rows, and there are {len(names)} images")
        indices = {name: index for index, name in enumerate(names)}
        return table[[indices[name] for name in rows]]

    def stack_arrays(self, arrays: np.lib.npyio.NpzFile, rows: Members) -> np.ndarray:
        with arrays:
            keys = {name: name if name in arrays else stem_of(name) for name in rows}
            missing = [name for name, key in keys.items() if key not in arrays]
            if missing:
                raise self._error(f"{len(missing)} of {len(rows)} images have no array there: {list_names(missing)}")
            found = [arrays[key] for key in keys.values()]
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
