"""A data set of which only its facts are known."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.core.random import generator
from genlab.core.spec import Spec
from genlab.data.dataset import InMemory, Split

ROWS = 16  # words that are told


class Blank(InMemory):
    """What a spec says of a data set, with a blank image a class: enough to build networks and to sample them."""

    def __init__(self, spec: Spec, *, name: str = "blank") -> None:
        dtype, labels = torch.float32 if spec.height is None else torch.uint8, labels_of(spec)
        rows = 1 if labels is None else len(labels)
        self._spec, images = spec, torch.zeros(rows, *spec.shape, dtype=dtype)
        super().__init__(Split(images), padding=spec.padding, scale=spec.scale, name=name)
        self.train = self.pool = Split(images, labels)  # a source may be of another size than its image
        self.source_classes = spec.source_classes
        if spec.source and not spec.source_classes:  # whether they were partners, a spec does not say
            self.other = InMemory(Split(self.train.labels))

    @property
    def spec(self) -> Spec:
        return self._spec


def labels_of(spec: Spec) -> Tensor | None:
    if spec.source:  # noise: of a constant picture, instance normalisation makes rounding errors large
        shape, source = (1, *spec.source), generator("blank")
        return torch.randint(spec.source_classes or 256, shape, generator=source, dtype=torch.uint8)
    if spec.words:
        return one_by_one(min(len(spec.words), ROWS), spec.length)
    if spec.attributes:
        return torch.zeros(1, spec.attributes)
    return torch.arange(spec.classes) if spec.classes else None


def one_by_one(words: int, length: int) -> Tensor:
    """int64 [words, length]: a row a word."""
    alone = torch.zeros(words, length, dtype=torch.int64)
    alone[:, 0] = torch.arange(1, words + 1)
    return alone
