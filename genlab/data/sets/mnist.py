"""MNIST: the four original files, bundled, parsed straight to one uint8 tensor a split."""

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.foreign_files import open_regular
from genlab.core.random import generator
from genlab.core.types import Count, FilePath, Whole
from genlab.core.words import Words
from genlab.data.dataset import InMemory, Split
from genlab.data.labels.digit_words import DIGITS, MAX_WORDS, RULE, VOCABULARY, captions
from genlab.data.sizes import fit_size, padding_for
from genlab.data.tasks import TaskChoice

BUNDLED = Path(__file__).parents[1] / "files" / "mnist"
SIDE = 28
MAX_BYTES = 16 + 60_000 * SIDE * SIDE  # of an unpacked file

# SHA-256 of the unpacked files: the same for every way of compressing them.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class MNIST(InMemory):
    """60,000 training and 10,000 test digits (LeCun et al. 1998), uint8 [N, 1, size, size], labels int64 [N].

    `size` 30 and 32 pad the native 28 x 28 by 1 and 2 black pixels a side, which samples and scores crop
    away again; any other size is a resize with antialiased bilinear filtering, rounded back to 8 bit. With `binarise`
    each pixel is white with the probability of its grey value: a fixed draw, after Salakhutdinov and Murray 2008.

    Raises ConfigError if a file is missing or is not MNIST's, or if `limit` or `holdout` leave too few images.
    """

    def __init__(
        self,
        root: FilePath | None = None,  # folder of the four idx files, .gz or unpacked; null: the bundled ones
        *,
        size: Count | None = None,  # pixels a side; null: 28
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        labelled: Count | None = None,  # training images that keep their label, the classes equally; null: all
        label_seed: Whole = 0,  # chooses which ones
        binarise: bool = False,  # black and white, drawn once from the grey values
        task: TaskChoice | None = None,  # makes a source of every image
        words: bool = False,  # condition on the words of `digit_words` instead of classes
    ) -> None:
        folder = BUNDLED if root is None else Path(root).expanduser()
        train, test = read_split(folder, "train"), read_split(folder, "t10k")
        train, held = _divide(train, limit, holdout)
        if words:
            train, test, held = map(captions, (train, test, held))
        train, test = _resize(train, size), _resize(test, size)
        held = _resize(held, size) if holdout else None
        if binarise:
            train, test = _binarise(train, "train"), _binarise(test, "test")
            held = _binarise(held, "holdout") if held else None
        options = {"padding": padding_for(SIDE, size), "labelled": labelled, "label_seed": label_seed, "task": task}
        options |= {"condition": Words(VOCABULARY, MAX_WORDS) if words else Classes(10), "class_names": DIGITS}
        super().__init__(train, test=test, holdout=held, name="mnist", **options)
        self.rule = RULE if words else None


def read_split(folder: Path, prefix: str) -> Split:
    """Return the split whose files begin with `prefix`, at its native 28 x 28."""
    images = _parse_idx(_read(folder, f"{prefix}-images-idx3-ubyte"))
    labels = _parse_idx(_read(folder, f"{prefix}-labels-idx1-ubyte"))
    return Split(images.unsqueeze(1), labels.long())


def _read(folder: Path, name: str) -> bytes:
    """Return the verified content of one file."""
    path = next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)
    if path is None:
        raise ConfigError(
            f"data.root={folder}: {name}.gz is missing. A folder must hold MNIST's four idx files, "
            "packed or unpacked; data.root=null uses the ones that come with genlab."
        )
    content = _unpack(path)
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise _damage_error(path, "its content is not MNIST's (SHA-256 differs)")
    return content


def _unpack(path: Path) -> bytes:
    try:
        with open_regular(path) as file:  # neither is read beyond what the largest of the four files has
            return (gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file).read(MAX_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise _damage_error(path, f"it cannot be unpacked ({error})") from error


def _damage_error(path: Path, reason: str) -> ConfigError:
    return ConfigError(f"{path}: {reason}. Copy the file again, or use the bundled ones with data.root=null.")


def _parse_idx(content: bytes) -> Tensor:
    """Parse an idx file: 2 zero bytes, the type (8), the number of dimensions, big-endian sizes, uint8 data."""
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", count=dimensions, offset=4)
    data = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    return torch.from_numpy(data.reshape(shape).copy())  # bytes are read-only, tensors are not


def _divide(train: Split, limit: int | None, holdout: int) -> tuple[Split, Split]:
    """Return the images to train on, and the last `holdout` ones, which `limit` never reaches."""
    left = len(train.images) - holdout
    if left < (limit or 1):
        raise ConfigError(
            f"data.limit={limit} data.holdout={holdout}: {max(left, 0)} of MNIST's {len(train.images)} training "
            "images are left to train on; lower one of the two."
        )
    kept = left if limit is None else limit
    return Split(*(part[:kept] for part in train)), Split(*(part[left:] for part in train))


def _resize(split: Split, size: int | None) -> Split:
    return split._replace(images=fit_size(split.images, size, padding=padding_for(SIDE, size)))


def _binarise(split: Split, name: str) -> Split:
    chance = torch.rand(split.images.shape, generator=generator("mnist", "binarise", name))
    return split._replace(images=((chance * 255 < split.images) * 255).to(torch.uint8))
