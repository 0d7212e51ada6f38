"""Sets of small colour pictures that torchvision reads."""

from typing import Any, Literal

import numpy as np

from genlab.core.types import FilePath
from genlab.data.sets.torchvision_set import PARTS, Files, TorchvisionSet

FINE_CLASSES = tuple(  # in the order of the file `meta`
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
    man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
    pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
    skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
    tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """.split()  # noqa: SIM905 -- a list would take a line a name
)


class SVHN(TorchvisionSet):
    """73,257 and 26,032 digits from house numbers, 32 x 32 RGB, cropped (Netzer et al. 2011)."""

    title, loader, side, classes = "svhn", "SVHN", 32, 10
    home = "http://ufldl.stanford.edu/housenumbers"

    def required_files(self) -> Files:
        return {name: md5 for _, name, md5 in map(self.torchvision.split_list.get, PARTS)}

    def open_part(self, part: str, *, download: bool = False) -> Any:
        return self.torchvision(str(self.root), split=part, download=download)

    def images_and_labels(self, dataset: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
        return dataset.data, dataset.labels


class CIFAR10(TorchvisionSet):
    """50,000 and 10,000 pictures of animals and vehicles, 32 x 32 RGB, ten classes (Krizhevsky 2009)."""

    title, loader, side, classes = "cifar10", "CIFAR10", 32, 10
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    home = "https://www.cs.toronto.edu/~kriz/cifar.html"

    def required_files(self) -> Files:
        loader = self.torchvision
        members = {name: md5 for name, md5 in [*loader.train_list, *loader.test_list]}
        members[loader.meta["filename"]] = loader.meta["md5"]
        return {f"{loader.base_folder}/{name}": md5 for name, md5 in members.items()}

    def images_and_labels(self, dataset: Any, part: str) -> tuple[np.ndarray, list[int]]:
        return dataset.data.transpose(0, 3, 1, 2), dataset.targets


class CIFAR100(CIFAR10):
    """Like CIFAR-10, with 100 fine classes of 600 pictures each (Krizhevsky 2009)."""

    title, loader, classes, names = "cifar100", "CIFAR100", 100, FINE_CLASSES


class STL10(TorchvisionSet):
    """96 x 96 RGB, ten classes: 5,000 and 8,000 labelled, 100,000 unlabelled pictures (Coates et al. 2011).

    Unlabelled pictures have the label -1 beside labelled ones, and no labels if there are no others.
    """

    title, loader, side, classes = "stl10", "STL10", 96, 10
    names = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
    home = "https://cs.stanford.edu/~acoates/stl10"

    def __init__(
        self,
        root: FilePath | None = None,
        *,
        subset: Literal["train", "unlabeled", "train+unlabeled"] = "train",  # to train on
        **shared: Any,
    ) -> None:
        self.subset = subset
        super().__init__(root, **shared)

    @property
    def options(self) -> dict[str, Any]:
        return {"subset": self.subset}

    def required_files(self) -> Files:
        loader = self.torchvision
        return {f"{loader.base_folder}/{name}": md5 for name, md5 in [*loader.train_list, *loader.test_list]}

    def open_part(self, part: str, *, download: bool = False) -> Any:
        return self.torchvision(str(self.root), split=self.subset if part == "train" else part, download=download)

    def images_and_labels(self, dataset: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
        return dataset.data, dataset.labels.astype(np.int64)
