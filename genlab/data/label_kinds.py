"""Kinds of labels, inferred from tensors that come without a condition."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab.core.condition import Attributes, Classes, Condition
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture

MAX_LISTED = 10  # class numbers in a message


def kind_of(labels: Tensor, source_classes: int | None = None, names: Sequence[str] = ()) -> Condition:
    """Return the kind of a training split's labels: pictures, attributes, or classes.

    Raises ConfigError for labels that no kind fits, or of which the shape does not tell the kind.
    """
    if are_pictures(labels):
        channels, height, width = labels.shape[1:]
        return Picture(channels, height, width, source_classes)
    if labels.ndim == 2 and labels.is_floating_point() and labels.shape[1]:
        return Attributes(labels.shape[1], tuple(names))
    if labels.ndim == 1 and labels.dtype == torch.int64:
        return Classes(len(names) or count_classes(labels), tuple(names))
    raise ConfigError(
        f"labels are {labels.dtype} of shape {list(labels.shape)}: expected classes, whole numbers [N]; attributes, "
        f"torch.float32 [N, K]; or pictures, torch.uint8 [N, C, H, W]. {remedy_for(labels)}"
    )


def count_classes(labels: Tensor) -> int:
    """Return the number of classes in labels [N]. Raises ConfigError if numbers are negative or left out."""
    known = labels[labels != -1].unique()
    if len(known) and known[0] == 0 and len(known) == known[-1] + 1:
        return len(known)
    if not len(known):
        raise ConfigError("labels are -1 alone, so that no class is known: leave the labels out.")
    listed = ", ".join(map(str, known[:MAX_LISTED].tolist())) + ", ..." * (len(known) > MAX_LISTED)
    raise ConfigError(
        f"labels are the numbers {listed}: expected all of 0, 1, 2, ... up to the last class (-1: not "
        "known). Number them anew, labels.unique(return_inverse=True)[1]; or, where classes without an image are "
        "meant, give InMemory(..., condition=Classes(COUNT)) of genlab.core.condition."
    )


def remedy_for(labels: Tensor) -> str:
    if labels.ndim == 1:
        return "Numbers of another type become classes by labels.long()."
    if labels.ndim == 2:
        return (
            "One-hot rows become classes by labels.argmax(1), whole numbers attributes by labels.float(), and words "
            "need InMemory(..., condition=Words(VOCABULARY, L)) of genlab.core.words."
        )
    return "Label maps [N, H, W] become pictures by labels[:, None], with InMemory(..., source_classes=COUNT)."


def are_pictures(labels: Tensor | None) -> bool:
    return labels is not None and labels.ndim == 4


def are_words(labels: Tensor) -> bool:
    return labels.ndim == 2 and labels.dtype == torch.int64
