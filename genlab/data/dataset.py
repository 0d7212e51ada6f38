"""Data sets held in memory, such as MNIST or a user's own images."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core.base_condition import Condition
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.pixels import to_network_input
from genlab.core.spec import Spec
from genlab.data.arrays import Layout, read_images, read_labels, read_names
from genlab.data.few_labels import keep_few_labels
from genlab.data.label_kinds import are_pictures, are_words, kind_of
from genlab.data.notes import Notes
from genlab.data.sizes import crop_centre
from genlab.data.tasks import Task, TaskChoice, source_chunks, task_of
from genlab.data.word_rule import WordRule


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
    metrics.split=train. NumPy arrays are taken as well, and images [N, H, W, C] where their shape shows it. The source
    pictures of translating models are given as labels, made from images by `task`, or unpaired pictures of `other`.
    With sources, only scores use the classes.

    Raises ConfigError if images are neither uint8 nor points float32 [N, D], or labels do not match them.
    """

    rule: WordRule | None = None  # words that can be measured in a picture
    notes = Notes()  # on the files that it was read from
    value_range: tuple[float, float] | None = None  # values of the files that are black and white; None: by depth
    source_range: tuple[float, float] | None = None  # the same of source pictures

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
        class_names: Sequence[str] = (),  # of classes 0, 1, ..., recognised in words; or of attributes
        labelled: int | None = None,  # training images that keep their label; None: all
        label_seed: int = 0,  # chooses them
        layout: Layout | None = None,  # of images; None: told by their shape
        name: str = "data",
    ) -> None:
        given = {"train": train, "test": test, "holdout": holdout}
        train, test, holdout = (read_split(split, part, layout) for part, split in given.items())
        self.class_names = class_names = read_names(class_names, train.labels, condition)
        self.task = None if task is None else task_of(task)
        refuse_task(self.task, train, labelled)
        if labelled is not None:
            train = train._replace(labels=keep_few_labels(train.labels, labelled, label_seed, class_names))
        self.pool = train  # training draws from it; `train` is cropped
        self.train = crop_split(train, crop)
        self.test, self.holdout = (None if split is None else crop_split(split, crop) for split in (test, holdout))
        self.padding, self.flip, self.crop, self.scale, self.name = padding, flip, crop, scale, name
        self._condition, self.source_classes = condition, source_classes
        self.other, self.aligned = other, aligned or other is None  # row i of `sources` belongs to row i of `examples`
        refuse_unlike_splits(self)
        refuse_unfit_other(self)

    @cached_property
    def spec(self) -> Spec:
        images = self.train.images
        channels, height, width = images.shape[1:] if images.ndim == 4 else (images.shape[1], None, None)
        facts = {name: getattr(self, name) for name in ("padding", "scale", "value_range", "source_range")}
        return Spec(channels, height, width, len(images), condition=self._model_condition(), **facts)

    @cached_property
    def label_kind(self) -> Condition | None:
        """Return the kind of labels beside images, which condition models unless sources replace them."""
        return self.infer_label_kind()

    def infer_label_kind(self) -> Condition | None:
        """Return the kind that was given for the labels, else the one that they show. Raises ConfigError without."""
        labels = self.train.labels
        return None if labels is None else self._condition or kind_of(labels, self.source_classes, self.class_names)

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

    @cached_property
    def split_fingerprints(self) -> dict[str, str]:
        """Return the fingerprints of the splits beside the training split, by name."""
        own = {"test": self.test, "holdout": self.holdout}
        found = {name: split.fingerprint() for name, split in own.items() if split is not None}
        others = {} if self.other is None else self.other.split_fingerprints
        return found | {f"other {name}": fingerprint for name, fingerprint in others.items()}

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
            return self.spec.condition.as_input(images[torch.arange(start, start + count) % len(images)], torch.float32)
        rows = torch.arange(start, start + count) % len(split.images)
        if self.task is None:
            return self.spec.condition.as_input(split.labels[rows], torch.float32)
        images = to_network_input(split.images[rows], torch.float32)
        made = torch.cat([self.task(images[at], draws) for at, draws in source_chunks(start, count)])
        return self.spec.condition.as_input(made, torch.float32)


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


def read_split(split: Split | None, part: str, layout: Layout | None) -> Split | None:
    """Return the split as tensors. Raises ConfigError for what is no split, and for unfit images or labels."""
    if split is None:
        return None
    if not isinstance(split, Split):
        raise ConfigError(f"{part}: of type {type(split).__name__}: expected Split(images) or Split(images, labels).")
    images = read_images(split.images, part, layout)
    labels = None if split.labels is None else read_labels(split.labels, part, layout)
    if labels is not None and (labels.ndim == 0 or len(labels) != len(images)):
        count = len(labels) if labels.ndim else 1
        raise ConfigError(f"{part}: {count} labels for {len(images)} images: expected one a picture.")
    same = images is split.images and labels is split.labels
    return split if same else split._replace(images=images, labels=labels)


def refuse_unlike_splits(data: InMemory) -> None:
    """Raise ConfigError for splits whose images or labels are not of the kind of the training split's."""
    expected, kind = data.train.images.shape, data.infer_label_kind()
    for part, split in {"train": data.train, "test": data.test, "holdout": data.holdout}.items():
        if split is None:
            continue
        if split.images.shape[1:] != expected[1:]:
            raise ConfigError(
                f"{part}: images of shape {list(split.images.shape)}, and those to train on have {list(expected)}. "
                "Resize one of them."
            )
        if split.labels is not None and kind is not None:
            kind.check(split.labels, split.images)


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
