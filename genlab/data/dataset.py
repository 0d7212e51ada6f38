"""Data sets that are held in memory: what a user's own images become, and what MNIST is."""

import hashlib
from functools import cached_property
from typing import NamedTuple

from torch import Tensor

from genlab.errors import ConfigError
from genlab.spec import Spec


class Split(NamedTuple):
    images: Tensor  # uint8 [N, C, H, W]
    labels: Tensor | None = None  # int64 [N]

    def fingerprint(self) -> str:
        """SHA-256 over shape, pixels and labels."""
        digest = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        for tensor in self:
            if tensor is not None:
                digest.update(tensor.contiguous().numpy())
        return digest.hexdigest()


class InMemory:
    """A data set in memory, from the user's own tensors.

    `genlab.run([...], data=InMemory(Split(images)))` trains on it. Without a test split, scores need
    metrics.split=train.

    Raises ConfigError if images are not uint8 [N, C, H, W] or labels do not match them.
    """

    def __init__(
        self,
        train: Split,
        *,
        test: Split | None = None,
        holdout: Split | None = None,  # kept from training, for monitoring overfitting
        padding: int = 0,  # pixels a side that were added around each image
        flip: bool = False,  # mirror half of the training images, drawn anew each time
        name: str = "data",
    ) -> None:
        for split in filter(None, (train, test, holdout)):
            _check(split)
        self.train, self.test, self.holdout = train, test, holdout
        self.padding, self.flip, self.name = padding, flip, name

    @cached_property
    def spec(self) -> Spec:
        images, labels = self.train
        classes = None if labels is None else int(labels.max()) + 1
        return Spec(*images.shape[1:], images=len(images), classes=classes, padding=self.padding)

    @cached_property
    def fingerprint(self) -> str:
        return self.train.fingerprint()

    def reference(self, split: str) -> Split:
        """The images that scores compare with: `train` or `test`."""
        found = {"train": self.train, "test": self.test, "holdout": self.holdout}.get(split)
        if found is None:
            raise ConfigError(f"metrics.split={split}: {self.name} has no such split; use metrics.split=train.")
        return found


def _check(split: Split) -> None:
    images, labels = split
    if images.ndim != 4 or str(images.dtype) != "torch.uint8" or not len(images):
        raise ConfigError(
            f"images are {images.dtype} of shape {list(images.shape)}: expected torch.uint8 [N, C, H, W] with N > 0."
        )
    if labels is not None and len(labels) != len(images):
        raise ConfigError(f"{len(labels)} labels for {len(images)} images: expected one a picture.")
