"""Data sets that are held in memory: what a user's own images become, and what MNIST is."""

import hashlib
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.errors import ConfigError
from genlab.random import generator
from genlab.spec import Spec


class Split(NamedTuple):
    images: Tensor  # uint8 [N, C, H, W]; or points, float32 [N, D]
    labels: Tensor | None = None  # classes int64 [N], -1 where unknown; or attributes float32 [N, K]

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

    Raises ConfigError if images are neither uint8 [N, C, H, W] nor points float32 [N, D], or labels do not match them.
    """

    def __init__(
        self,
        train: Split,
        *,
        test: Split | None = None,
        holdout: Split | None = None,  # kept from training, for monitoring overfitting
        padding: int = 0,  # pixels a side that were added around each image
        flip: bool = False,  # mirror half of the training images, drawn anew each time
        scale: float = 1.0,  # of points: networks see them divided by it
        labelled: int | None = None,  # training images that keep their label; None: all
        label_seed: int = 0,  # which ones
        name: str = "data",
    ) -> None:
        for split in filter(None, (train, test, holdout)):
            _check(split)
        self.train = train if labelled is None else with_few_labels(train, labelled, label_seed)
        self.test, self.holdout = test, holdout
        self.padding, self.flip, self.scale, self.name = padding, flip, scale, name

    @cached_property
    def spec(self) -> Spec:
        images, labels = self.train
        channels, height, width = images.shape[1:] if images.ndim == 4 else (images.shape[1], None, None)
        return Spec(
            channels,
            height,
            width,
            images=len(images),
            classes=int(labels.max()) + 1 if labels is not None and labels.ndim == 1 else None,
            attributes=labels.shape[1] if labels is not None and labels.ndim == 2 else None,
            padding=self.padding,
            scale=self.scale,
        )

    @cached_property
    def fingerprint(self) -> str:
        return self.train.fingerprint()

    def reference(self, split: str) -> Split:
        """The images that scores compare with: `train` or `test`."""
        found = {"train": self.train, "test": self.test, "holdout": self.holdout}.get(split)
        if found is None:
            raise ConfigError(f"metrics.split={split}: {self.name} has no such split; use metrics.split=train.")
        return found


def with_few_labels(split: Split, labelled: int, seed: int) -> Split:
    """`split` with `labelled` of its labels, the classes as equally as can be, and -1 for the others.

    Raises ConfigError without classes, or if one of them has too few images.
    """
    if split.labels is None or split.labels.ndim != 1:
        raise ConfigError(f"data.labelled={labelled}: these data have no classes; set data.labelled=null.")
    labels = torch.full_like(split.labels, -1)
    classes = int(split.labels.max()) + 1
    for index in range(classes):
        wanted = (labelled + classes - 1 - index) // classes  # the first classes take what is left over
        rows = (split.labels == index).nonzero().squeeze(1)
        if not 0 < wanted <= len(rows):
            raise ConfigError(
                f"data.labelled={labelled}: takes {wanted} of the {len(rows)} images of class {index}; "
                f"expected {classes} (one a class) to {len(split.labels)} in all. Set another number, or null for all."
            )
        order = torch.randperm(len(rows), generator=generator(seed, "labelled", index))
        labels[rows[order[:wanted]]] = index
    return split._replace(labels=labels)


def _check(split: Split) -> None:
    images, labels = split
    found = images.ndim, str(images.dtype)
    if found not in ((4, "torch.uint8"), (2, "torch.float32")) or not len(images):
        raise ConfigError(
            f"images are {images.dtype} of shape {list(images.shape)}: expected torch.uint8 [N, C, H, W] with N > 0, "
            "or points, torch.float32 [N, D]."
        )
    if labels is not None and len(labels) != len(images):
        raise ConfigError(f"{len(labels)} labels for {len(images)} images: expected one a picture.")
