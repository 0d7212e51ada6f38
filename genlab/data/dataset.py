"""Data sets held in memory, such as MNIST or a user's own images."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core.condition import Attributes, Classes, Condition
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.pixels import to_network_input
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.core.words import Words
from genlab.data.few_labels import keep_few_labels
from genlab.data.notes import Notes
from genlab.data.sizes import crop_centre
from genlab.data.tasks import Task, TaskChoice, task_of
from genlab.data.word_rule import WordRule

SOURCE_CHUNK = 50  # rows whose sources are made from one batch of draws


class Split(NamedTuple):
    images: Tensor  # uint8 [N, C, H, W]; or points, float32 [N, D]
    # Classes int64 [N], attributes float32 [N, K], words int64 [N, L] or labels of another condition; or source
    # pictures uint8 [N, C, H, W], such as label maps (C = 1).
    labels: Tensor | None = None

    def fingerprint(self) -> str:
        """Return the SHA-256 of shape, pixels and labels."""
        digest = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        for tensor in self:
            if tensor is not None:
                digest.update(tensor.contiguous().numpy())
        return digest.hexdigest()

    def crop_centre(self, size: int) -> "Split":
        """Crop images and source pictures to the square in the middle."""
        return self._replace(
            images=crop_centre(self.images, size),
            labels=crop_centre(self.labels, size) if are_pictures(self.labels) else self.labels,
        )


class InMemory:
    """A data set in memory, from the user's own tensors.

    `genlab.run([...], data=InMemory(Split(images)))` trains on it. Without a test split, scores need
    metrics.split=train. The source pictures of translating models are given as labels, made from images by `task`, or
    unpaired pictures of `other`. With sources, only scores use the classes.

    Raises ConfigError if images are neither uint8 [N, C, H, W] nor points float32 [N, D], or labels do not match them.
    """

    rule: WordRule | None = None  # words that can be measured in a picture
    notes = Notes()  # on the files that it was read from
    value_range: tuple[float, float] | None = None  # values of the files that are black and white; None: by depth

    def __init__(
        self,
        train: Split,
        *,
        test: Split | None = None,
        holdout: Split | None = None,  # kept from training, for monitoring overfitting
        padding: int = 0,  # pixels a side that were added around each image
        flip: bool = False,  # mirror half of the training images, drawn anew each time
        crop: int | None = None,  # pixels a side of crops: anywhere in training, else in the middle; None: whole images
        task: TaskChoice | None = None,  # makes sources while training
        source_classes: int | None = None,  # the source pictures are label maps of this many classes
        other: "InMemory | None" = None,  # unpaired source pictures
        aligned: bool = False,  # the rows of both test splits are partners, for scores
        scale: float = 1.0,  # by which points are divided for networks
        condition: Condition | None = None,  # the kind of labels; None: inferred from them
        class_names: Sequence[str] = (),  # of classes 0, 1, ..., recognised in words
        labelled: int | None = None,  # training images that keep their label; None: all
        label_seed: int = 0,  # chooses them
        name: str = "data",
    ) -> None:
        for split in filter(None, (train, test, holdout)):
            check(split, condition, source_classes)
        self.task = None if task is None else task_of(task)
        refuse_task(self.task, train, labelled)
        if labelled is not None:
            train = train._replace(labels=keep_few_labels(train.labels, labelled, label_seed))
        self.pool = train  # training draws from it; `train` is cropped
        self.train = crop_split(train, crop)
        self.test, self.holdout = (None if split is None else crop_split(split, crop) for split in (test, holdout))
        self.padding, self.flip, self.crop, self.scale, self.name = padding, flip, crop, scale, name
        self._condition, self.source_classes = condition, source_classes
        self.other, self.aligned = other, aligned or other is None  # row i of `sources` belongs to row i of `examples`
        refuse_unfit_other(self)
        self.class_names = list(class_names)

    @cached_property
    def spec(self) -> Spec:
        images = self.train.images
        channels, height, width = images.shape[1:] if images.ndim == 4 else (images.shape[1], None, None)
        facts = {"images": len(images), "padding": self.padding, "scale": self.scale, "value_range": self.value_range}
        return Spec(channels, height, width, condition=self._model_condition(), **facts)

    @cached_property
    def label_kind(self) -> Condition | None:
        """Return the kind of labels beside images, which condition models unless sources replace them."""
        labels = self.train.labels
        return None if labels is None else self._condition or kind_of(labels, self.source_classes)

    def _model_condition(self) -> Condition | None:
        """Return the kind of condition for models."""
        if self.other:
            return Picture(*self.other.spec.shape)
        if self.task:
            return Picture(*self.task.shape(tuple(self.train.images.shape[1:])), self.task.classes)
        return self.label_kind

    @property
    def is_paired(self) -> bool:
        """Return whether every training image has a source picture of its own."""
        return self.task is not None or are_pictures(self.train.labels)

    def classes_of(self, split: Split) -> Tensor | None:
        """Return the class int64 [N] of each image, -1 where it is not known; None: labels name none."""
        if split.labels is None or self.label_kind is None:
            return None
        return self.label_kind.classes_of(split.labels)

    def with_classes(self, split: Split) -> Split:
        """Return images with their classes as labels, if any."""
        return Split(split.images, self.classes_of(split))

    @cached_property
    def fingerprint(self) -> str:
        own = self.pool.fingerprint()
        words = "" if self.label_kind is None else self.label_kind.fingerprint
        other = "" if self.other is None else self.other.fingerprint
        return hashlib.sha256(f"{own} {words}{other}".encode()).hexdigest() if words or other else own

    def reference(self, split: str) -> Split:
        """Return the split that scores compare with. Raises ConfigError if there is none of this name."""
        found = {"train": self.train, "test": self.test, "holdout": self.holdout}.get(split)
        if found is None:
            raise ConfigError(f"metrics.split={split}: {self.name} has no such split; use metrics.split=train.")
        return found

    @property
    def examples(self) -> Split:
        """Return the split whose sources are translated for samples: test, else train."""
        return self.train if self.test is None else self.test

    def conditions(self, split: Split, start: int, count: int) -> Tensor:
        """Return the conditions of rows `start` to `start + count` of a split, which repeats without end.

        They are network input: pictures float32 [count, C, H, W] in [-1, 1], label maps one-hot. Calls agree, on every
        device. Unpaired source pictures come from the examples of `other`, whatever the split.
        """
        if self.other is not None:
            images = self.other.examples.images
            return to_network_input(images[torch.arange(start, start + count) % len(images)], torch.float32)
        rows = torch.arange(start, start + count) % len(split.images)
        if self.task is None:
            return self.spec.condition.as_input(split.labels[rows], torch.float32)
        images = to_network_input(split.images[rows], torch.float32)
        made = torch.cat([self.task(images[at], draws) for at, draws in source_chunks(start, count)])
        return self.spec.condition.as_input(made, torch.float32)


def source_chunks(start: int, count: int) -> Iterator[tuple[slice, Draws]]:
    """Yield slices of rows, counted from `start`, with draws that depend on the rows alone and not on `start`."""
    for number in range(start // SOURCE_CHUNK, -(-(start + count) // SOURCE_CHUNK)):
        first, last = max(start, number * SOURCE_CHUNK), min(start + count, (number + 1) * SOURCE_CHUNK)
        rows = (position - number * SOURCE_CHUNK for position in (first, last))
        yield slice(first - start, last - start), Draws(("source", number), SOURCE_CHUNK, *rows, torch.device("cpu"))


def kind_of(labels: Tensor, source_classes: int | None) -> Condition:
    """Infer the kind of labels: pictures, words of an unknown vocabulary, attributes or classes."""
    if are_pictures(labels):
        return Picture(*labels.shape[1:], source_classes)
    if are_words(labels):
        return Words((), labels.shape[1])
    return Attributes(labels.shape[1]) if labels.ndim == 2 else Classes(int(labels.max()) + 1)


def are_pictures(labels: Tensor | None) -> bool:
    return labels is not None and labels.ndim == 4


def are_words(labels: Tensor) -> bool:
    return labels.ndim == 2 and labels.dtype == torch.int64


def crop_split(split: Split, crop: int | None) -> Split:
    """Crop a split to the middle. Raises ConfigError for a crop that does not fit."""
    if crop is None:
        return split
    height, width = split.images.shape[2:]
    if crop > min(height, width):
        raise ConfigError(
            f"data.crop={crop}: images have {width} x {height} pixels. Set a smaller crop, or store larger ones "
            f"(data.size={round(crop * 286 / 256)} data.crop={crop} is pix2pix's jitter)."
        )
    return split.crop_centre(crop)


def check(split: Split, condition: Condition | None, source_classes: int | None) -> None:
    images, labels = split
    found = images.ndim, str(images.dtype)
    if found not in ((4, "torch.uint8"), (2, "torch.float32")) or not len(images):
        raise ConfigError(
            f"images are {images.dtype} of shape {list(images.shape)}: expected torch.uint8 [N, C, H, W] with N > 0, "
            "or points, torch.float32 [N, D]."
        )
    if labels is not None and len(labels) != len(images):
        raise ConfigError(f"{len(labels)} labels for {len(images)} images: expected one a picture.")
    if labels is not None:
        (condition or kind_of(labels, source_classes)).check(labels, images)


def refuse_task(task: Task | None, train: Split, labelled: int | None) -> None:
    """Raise ConfigError for a task with data of which it makes no sources."""
    if task is None:
        return
    if train.images.ndim != 4 or are_pictures(train.labels):
        why = "these are pairs already" if train.images.ndim == 4 else "the data are points"
        raise ConfigError(f"data.task={task}: makes pairs from images, and {why}. Set data.task=null.")
    if labelled is not None:
        raise ConfigError(f"data.labelled={labelled}: no model is told classes under data.task. Set one of them null.")
    if train.labels is not None and are_words(train.labels):
        raise ConfigError(f"data.task={task}: no model is told words beside pictures. Leave out one of the two.")


def refuse_unfit_other(data: InMemory) -> None:
    """Raise ConfigError for unpaired sources that do not go with the data."""
    if data.other is None:
        return
    if data.task or are_pictures(data.train.labels) or data.train.images.ndim != 4 or data.other.train.images.ndim != 4:
        raise ConfigError("other: a second kind of pictures goes with images, not with points and not with pairs.")
    tested = [len(part.examples.images) for part in (data, data.other)]
    if data.aligned and tested[0] != tested[1]:
        raise ConfigError(
            f"data.aligned=true: {tested[0]} images to test with, and {tested[1]} of the other kind. Set it to false."
        )
