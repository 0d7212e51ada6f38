"""An .npz file of saved samples (`mode=save to=FILE.npz`) as a source of image files."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from genlab.core.errors import ConfigError
from genlab.data.storage.content_hash import content_key
from genlab.data.storage.file_kinds import LABEL_FILE
from genlab.data.storage.packing import refuse_large

CHANNELS = (1, 3, 4)
MAX_BYTES = 2**28  # unpacked, or else
MOST_PACKED = 20  # times the file's own size
EXPECTED = (
    "Expected what mode=save writes: arr_0, uint8 [N, H, W, C] of 1, 3 or 4 channels, and perhaps arr_1, a label for "
    "each, and class_names, attribute_names or vocabulary."
)


class SamplesFile:
    """The pictures `arr_0` by number, with dataset.json or captions.json made of `arr_1` and the names beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            refuse_large(path, MAX_BYTES, MOST_PACKED)
        except (OSError, zipfile.BadZipFile) as error:
            raise self._error(f"it cannot be read ({error})") from error
        try:
            with np.load(path, allow_pickle=False) as arrays:
                self.arrays = {name: arrays[name] for name in arrays.files}
        except Exception as error:  # a damaged header raises nearly anything, and numpy's words advise pickle
            raise self._error("it is damaged, or holds other things than arrays") from error
        self.pictures = self._checked_pictures()
        self.rows = {f"{row:08d}.png": row for row in range(len(self.pictures))}
        self.names = list(self.rows)
        self.left_out: Counter[str] = Counter()
        self.texts = self._texts()
        self.label_files = [name for name in self.texts if name == LABEL_FILE]

    def content_key(self) -> str:
        return content_key({self.path.name: self.path})

    def size(self, name: str) -> int:
        return self.pictures[self.rows[name]].nbytes

    def holds(self, name: str) -> bool:
        return name in self.texts or name in self.rows

    def stamp(self) -> list[int]:
        return []  # contents are read for the key

    def read(self, name: str, most: int) -> bytes:
        from PIL import Image

        if name in self.texts:
            return self.texts[name].encode()
        picture, file = self.pictures[self.rows[name]], io.BytesIO()
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(file, "png", compress_level=0)
        return file.getvalue()

    def _checked_pictures(self) -> np.ndarray:
        pictures = self.arrays.get("arr_0")
        if pictures is None:
            raise self._error(f"it holds {', '.join(self.arrays) or 'nothing'}, and no arr_0")
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or not len(pictures) or pictures.shape[-1] not in CHANNELS:
            raise self._error(f"arr_0 is {pictures.dtype} of shape {list(pictures.shape)}")
        return pictures

    def _texts(self) -> dict[str, str]:
        """Return the files of labels that mode=save writes beside PNGs."""
        labels = self.arrays.get("arr_1")
        if labels is None:
            return {}
        if len(labels) != len(self.pictures):
            raise self._error(f"{len(labels)} labels for {len(self.pictures)} pictures")
        if "vocabulary" in self.arrays:
            words = ["", *self.arrays["vocabulary"].tolist()]
            return {"captions.json": self._by_name(labels, lambda row: " ".join(words[n] for n in row if n))}
        names = {key: self.arrays[key].tolist() for key in ("class_names", "attribute_names") if key in self.arrays}
        return {LABEL_FILE: json.dumps({"labels": list(zip(self.names, labels.tolist(), strict=True))} | names)}

    def _by_name(self, labels: np.ndarray, describe: Callable[[Sequence[int]], str]) -> str:
        return json.dumps(dict(zip(self.names, map(describe, labels.tolist()), strict=True)))

    def _error(self, found: str) -> ConfigError:
        return ConfigError(f"data.root={self.path}: {found}. {EXPECTED}")
