"""Base class of the sets that torchvision reads: it downloads and checks files, and caches them as a table.

Files lie where torchvision puts them, below `data.root`: by default $GENLAB_DATA, or a folder of the user's.
"""

import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from genlab.core.base_condition import Condition
from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.types import Count, FilePath, Whole
from genlab.data.sizes import fit_size, padding_for
from genlab.data.storage.archives import list_names
from genlab.data.storage.cache import Add, LabelsAndFacts, fill_once
from genlab.data.storage.cached_set import CachedSet
from genlab.data.storage.content_hash import content_key
from genlab.data.storage.directories import data_folder
from genlab.data.tasks import TaskChoice

log = logging.getLogger(__name__)

SERVER_TIMEOUT = 30.0  # seconds without an answer
MAX_REASON_LENGTH = 300  # characters of a failed download's message
PARTS = ("train", "test")

Files = dict[str, str | None]  # below the root -> MD5 where torchvision knows it


class TorchvisionSet(CachedSet, ABC):
    """Training and test images, uint8 [N, C, size, size], labels int64 [N] unless a subclass says otherwise.

    `size` null is the set's own; others are resized with antialiased bilinear filtering, rounded back to 8 bit. With
    `pads_with_frame`, 2 or 4 pixels more are a black frame instead, which samples and scores crop away again.

    Raises ConfigError if files are missing and cannot be downloaded, or are not the published ones.
    """

    title: ClassVar[str]
    loader: ClassVar[str]  # its name in torchvision.datasets
    home: ClassVar[str]  # address where people get the files
    side: ClassVar[int]  # pixels
    classes: int
    names: tuple[str, ...] = ()  # of the classes; (): numbers
    pads_with_frame: ClassVar[bool] = False

    def __init__(
        self,
        root: FilePath | None = None,  # folder of the files, as torchvision lays them out; null: $GENLAB_DATA
        *,
        size: Count | None = None,  # pixels a side; null: the set's own
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        labelled: Count | None = None,  # training images that keep their label, the classes equally; null: all
        label_seed: Whole = 0,  # chooses which ones
        flip: bool = False,  # mirror half of the training images
        task: TaskChoice | None = None,  # makes a source of every image
    ) -> None:
        self.root = (data_folder() if root is None else Path(root).expanduser()).absolute()
        self.size = size
        self.frame = padding_for(self.side, size) if self.pads_with_frame else 0
        self.fetch()
        key = {"set": self.title, "files": content_key(self.source_files()), "size": size, **self.options}
        table = fill_once(key, self.fill)
        super().__init__(
            table,
            name=self.title,
            condition=self.condition,
            padding=self.frame,
            limit=limit,
            holdout=holdout,
            labelled=labelled,
            label_seed=label_seed,
            flip=flip,
            task=task,
        )

    @property
    def condition(self) -> Condition:
        """Return the kind of labels."""
        return Classes(self.classes, self.names)

    @property
    def options(self) -> dict[str, Any]:
        """Return the options that the pixels depend on, for the cache."""
        return {}

    @abstractmethod
    def required_files(self) -> Files:
        """Return the files that must be there."""

    def source_files(self) -> dict[str, str | Path]:
        """Return the paths, by name, of all files that pixels and labels come from."""
        return {name: self.root / name for name in self.required_files()}

    @abstractmethod
    def images_and_labels(self, dataset: Any, part: str) -> tuple[np.ndarray | Tensor, Any]:
        """Return a torchvision data set's images, uint8 [N, C, H, W], and labels [N]."""

    def open_part(self, part: str, *, download: bool = False) -> Any:
        return self.torchvision(str(self.root), train=part == "train", download=download)

    @property
    def torchvision(self) -> Any:
        """Return the loader's class; imported late, as that takes seconds."""
        from torchvision import datasets

        return getattr(datasets, self.loader)

    def fetch(self) -> None:
        """Download missing files. Raises ConfigError if that fails."""
        if not self.missing():
            return
        try:
            self.download()
            failure = "it brought other files"
        except Exception as error:  # whatever a network, a mirror, an archive or a disk does
            failure = " ".join(str(error).split())[:MAX_REASON_LENGTH] or type(error).__name__
        if missing := self.missing():
            counts = f"{len(missing)} of the {len(self.required_files())}"
            raise ConfigError(
                f"data.root={self.root}: {counts} files of {self.title} are missing: "
                f"{list_names(missing)}. Downloading them failed ({failure}). Copy them there, as they come from "
                f"{self.home}, or name the folder that holds them with data.root=FOLDER (or GENLAB_DATA)."
            )

    def missing(self) -> list[str]:
        return [name for name in self.required_files() if not (self.root / name).exists()]

    def download(self) -> None:
        """Let torchvision download files and unpack archives, in one process at a time."""
        self.root.mkdir(parents=True, exist_ok=True)
        log.info("%s: fetching it to %s", self.title, self.root)
        with FileLock(self.root / f".{self.title}.lock"), socket_timeout(SERVER_TIMEOUT):
            for part in PARTS if self.missing() else ():
                self.open_part(part, download=True)

    def fill(self, add: Add) -> LabelsAndFacts:
        self.refuse_damaged()
        counts, labels = {}, []
        for part in PARTS:
            counts[part], found = self.store_part(part, add)
            labels.append(found)
        return LabelsAndFacts(np.concatenate(labels), {"splits": counts})

    def store_part(self, part: str, add: Add) -> tuple[int, np.ndarray]:
        """Add a part's images; return their number and labels."""
        images, labels = self.read_part(part)
        for chunk in torch.as_tensor(images).split(2_000):
            add(fit_size(chunk.contiguous(), self.size, padding=self.frame).numpy())
        return len(images), np.asarray(labels, np.int64)

    def read_part(self, part: str) -> tuple[np.ndarray | Tensor, Any]:
        try:
            return self.images_and_labels(self.open_part(part), part)
        except Exception as error:  # torchvision's loaders check little of what they read
            raise ConfigError(
                f"data.root={self.root}: the {part} files of {self.title} cannot be read ({error or type(error)}). "
                f"They are among {list_names(self.required_files())}; copy them again from {self.home}."
            ) from error

    def refuse_damaged(self) -> None:
        from torchvision.datasets.utils import check_integrity

        known = {name: md5 for name, md5 in self.required_files().items() if md5}
        damaged = [name for name, md5 in known.items() if not check_integrity(self.root / name, md5)]
        if damaged:
            raise ConfigError(
                f"data.root={self.root}: {list_names(damaged)}: not the published file of {self.title} (MD5 differs). "
                f"Delete it and let it be downloaded, or copy it again from {self.home}."
            )


@contextmanager
def socket_timeout(seconds: float) -> Iterator[None]:
    """Limit the wait for a server, which torchvision does not."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
