"""What the sets that torchvision reads have in common: they are fetched, checked and turned into a table once.

Files lie where torchvision puts them: below `data.root`, which is $GENLAB_DATA or a folder of the user's by default.
Missing ones are downloaded where there is a network.
"""

from __future__ import annotations

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

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.types import Count, Whole
from genlab.data.sizes import padding_for, sized
from genlab.data.storage.archives import listed
from genlab.data.storage.cache import Add, Rest, cached
from genlab.data.storage.cached_set import Stored
from genlab.data.storage.content_hash import content_key
from genlab.data.storage.directories import data_folder
from genlab.data.tasks import TaskChoice

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds that a server may be silent
WORDS = 300  # characters of a failure that are shown
PARTS = ("train", "test")

Files = dict[str, str | None]  # below the root -> MD5 where torchvision knows it


class TorchvisionSet(Stored, ABC):
    """Training and test images, uint8 [N, C, size, size], labels int64 [N] unless a subclass says otherwise.

    `size` null is the set's own; another one is a resize with antialiased bilinear filtering, rounded back to 8 bit.
    Where `frames` is set, 2 and 4 pixels more are a black frame instead, which samples and scores crop away again.

    Raises ConfigError if files are missing and cannot be downloaded, or are not the published ones.
    """

    title: ClassVar[str]
    loader: ClassVar[str]  # in torchvision.datasets
    home: ClassVar[str]  # where people get the files
    side: ClassVar[int]  # pixels
    classes: int | None
    frames: ClassVar[bool] = False

    def __init__(
        self,
        root: str | None = None,  # folder of the files, as torchvision lays them out; null: $GENLAB_DATA
        *,
        size: Count | None = None,  # pixels a side; null: the set's own
        limit: Count | None = None,  # train on the first N images only
        holdout: Whole = 0,  # keep the last N training images from training
        labelled: Count | None = None,  # training images that keep their label, the classes equally; null: all
        label_seed: Whole = 0,  # which ones
        flip: bool = False,  # mirror half of the training images
        task: TaskChoice | None = None,  # makes a source of every image
    ) -> None:
        self.root = (data_folder() if root is None else Path(root).expanduser()).absolute()
        self.size = size
        self.frame = padding_for(self.side, size) if self.frames else 0
        self.fetch()
        key = {"set": self.title, "files": content_key(self.everything()), "size": size, **self.options}
        table = cached(key, self.fill)
        super().__init__(
            table,
            name=self.title,
            condition=Classes(self.classes) if self.classes else None,
            padding=self.frame,
            limit=limit,
            holdout=holdout,
            labelled=labelled,
            label_seed=label_seed,
            flip=flip,
            task=task,
        )

    @property
    def options(self) -> dict[str, Any]:
        """What else the pixels depend on."""
        return {}

    @abstractmethod
    def files(self) -> Files:
        """All that must be there."""

    def everything(self) -> dict[str, str | Path]:
        """Name -> path of all that the pixels and labels come from."""
        return {name: self.root / name for name in self.files()}

    @abstractmethod
    def contents(self, dataset: Any, part: str) -> tuple[np.ndarray | Tensor, Any]:
        """A torchvision data set's images, uint8 [N, C, H, W], and labels [N]."""

    def open(self, part: str, *, download: bool = False) -> Any:
        return self.torchvision(str(self.root), train=part == "train", download=download)

    @property
    def torchvision(self) -> Any:
        """The loader's class; imported here, as it takes seconds."""
        from torchvision import datasets

        return getattr(datasets, self.loader)

    def fetch(self) -> None:
        """Download what is missing. Raises ConfigError if that fails."""
        if not self.missing():
            return
        try:
            self.download()
            failure = "it brought other files"
        except Exception as error:  # whatever a network, a mirror, an archive or a disk does
            failure = " ".join(str(error).split())[:WORDS] or type(error).__name__
        if missing := self.missing():
            raise ConfigError(
                f"data.root={self.root}: {len(missing)} of the {len(self.files())} files of {self.title} are missing: "
                f"{listed(missing)}. Downloading them failed ({failure}). Copy them there, as they come from "
                f"{self.home}, or name the folder that holds them with data.root=FOLDER (or GENLAB_DATA)."
            )

    def missing(self) -> list[str]:
        return [name for name in self.files() if not (self.root / name).exists()]

    def download(self) -> None:
        """By torchvision, which also unpacks archives that lie there; one process at a time."""
        self.root.mkdir(parents=True, exist_ok=True)
        log.info("%s: fetching it to %s", self.title, self.root)
        with FileLock(self.root / f".{self.title}.lock"), patience(PATIENCE):
            for part in PARTS if self.missing() else ():
                self.open(part, download=True)

    def fill(self, add: Add) -> Rest:
        self.refuse_damaged()
        counts, labels = {}, []
        for part in PARTS:
            counts[part], found = self.store(part, add)
            labels.append(found)
        return Rest(np.concatenate(labels), {"splits": counts})

    def store(self, part: str, add: Add) -> tuple[int, np.ndarray]:
        """Adds a part's images; their number and labels."""
        images, labels = self.read(part)
        for chunk in torch.as_tensor(images).split(2_000):
            add(sized(chunk.contiguous(), self.size, padding=self.frame).numpy())
        return len(images), np.asarray(labels, np.int64)

    def read(self, part: str) -> tuple[np.ndarray | Tensor, Any]:
        try:
            return self.contents(self.open(part), part)
        except Exception as error:  # torchvision's loaders check little of what they read
            raise ConfigError(
                f"data.root={self.root}: the {part} files of {self.title} cannot be read ({error or type(error)}). "
                f"They are among {listed(self.files())}; copy them again from {self.home}."
            ) from error

    def refuse_damaged(self) -> None:
        from torchvision.datasets.utils import check_integrity

        damaged = [name for name, md5 in self.files().items() if md5 and not check_integrity(self.root / name, md5)]
        if damaged:
            raise ConfigError(
                f"data.root={self.root}: {listed(damaged)}: not the published file of {self.title} (MD5 differs). "
                f"Delete it and let it be downloaded, or copy it again from {self.home}."
            )


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """torchvision waits for ever for a server that does not answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
