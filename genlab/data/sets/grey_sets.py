"""Sets of grey pictures that torchvision reads: digits, letters, clothes."""

from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor

from genlab.core.types import FilePath
from genlab.data.sets.torchvision_set import PARTS, Files, TorchvisionSet


class IdxSet(TorchvisionSet):
    """28 x 28 grey, four idx files in the layout of MNIST; packed ones (.gz) beside them are unpacked."""

    side = 28
    classes = 10
    pads_with_frame = True

    def required_files(self) -> Files:
        names = [Path(name).stem for name, _ in self.torchvision.resources]
        return {f"{self.loader}/raw/{name}": None for name in names}

    def images_and_labels(self, dataset: Any, part: str) -> tuple[Tensor, Tensor]:
        return dataset.data.unsqueeze(1), dataset.targets


class FashionMNIST(IdxSet):
    """60,000 and 10,000 pictures of clothes in ten classes (Xiao et al. 2017)."""

    names = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    title, loader, home = "fashion_mnist", "FashionMNIST", "https://github.com/zalandoresearch/fashion-mnist"


class KMNIST(IdxSet):
    """60,000 and 10,000 cursive Japanese characters in ten classes (Clanuwat et al. 2018)."""

    names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    title, loader, home = "kmnist", "KMNIST", "http://codh.rois.ac.jp/kmnist"


class QMNIST(IdxSet):
    """MNIST's 60,000 training digits, rebuilt, and all 60,000 test digits (Yadav & Bottou 2019)."""

    title, loader, home = "qmnist", "QMNIST", "https://github.com/facebookresearch/qmnist"

    def required_files(self) -> Files:
        urls = [url for part in PARTS for url, _ in self.torchvision.resources[part]]
        return {f"QMNIST/raw/{Path(url).stem}": None for url in urls}

    def images_and_labels(self, dataset: Any, part: str) -> tuple[Tensor, Tensor]:
        return dataset.data.unsqueeze(1), dataset.targets[:, 0]  # the other columns: writer, glyph, ...


class EMNIST(IdxSet):
    """Handwritten letters and digits in six arrangements (Cohen et al. 2017, table II), turned upright.

    Labels are the files' own, except that those of `letters`, which count from 1, are shifted to begin at 0.
    """

    title, loader = "emnist", "EMNIST"
    home = "https://www.nist.gov/itl/products-and-services/emnist-dataset"
    sizes: ClassVar[dict[str, int]] = {
        "byclass": 62,
        "bymerge": 47,
        "balanced": 47,
        "letters": 26,
        "digits": 10,
        "mnist": 10,
    }

    def __init__(
        self,
        root: FilePath | None = None,
        *,
        subset: Literal["byclass", "bymerge", "balanced", "letters", "digits", "mnist"] = "balanced",
        **shared: Any,
    ) -> None:
        self.subset = subset
        self.classes = self.sizes[subset]
        self.names = letters_of(subset)
        super().__init__(root, **shared)

    @property
    def options(self) -> dict[str, Any]:
        return {"subset": self.subset}

    def required_files(self) -> Files:
        kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
        return {f"EMNIST/raw/emnist-{self.subset}-{part}-{kind}": None for part in PARTS for kind in kinds}

    def open_part(self, part: str, *, download: bool = False) -> Any:
        return self.torchvision(str(self.root), split=self.subset, train=part == "train", download=download)

    def images_and_labels(self, dataset: Any, part: str) -> tuple[Tensor, Tensor]:
        first = 1 if self.subset == "letters" else 0
        return dataset.data.transpose(1, 2).unsqueeze(1), dataset.targets - first  # stored with axes swapped


def letters_of(subset: str) -> tuple[str, ...]:
    """Return the characters of EMNIST's classes: Cohen et al. 2017, figure 2."""
    if subset == "letters":
        return tuple(ascii_lowercase)
    if subset == "byclass":
        return tuple(digits + ascii_uppercase + ascii_lowercase)
    merged = ascii_uppercase + "abdefghnqrt"  # other small letters look like their capitals
    return tuple(digits + merged) if subset in ("bymerge", "balanced") else tuple(digits)


class USPS(TorchvisionSet):
    """7,291 and 2,007 digits from envelopes, 16 x 16 grey (Hull 1994)."""

    title, loader, side, classes, pads_with_frame = "usps", "USPS", 16, 10, True
    home = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps"

    def required_files(self) -> Files:
        return {name: md5 for _, name, md5 in self.torchvision.split_list.values()}

    def images_and_labels(self, dataset: Any, part: str) -> tuple[np.ndarray, list[int]]:
        return dataset.data[:, None], dataset.targets
