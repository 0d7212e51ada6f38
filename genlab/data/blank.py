"""A data set of which only its facts are known."""

from __future__ import annotations

import torch

from genlab.data.dataset import InMemory, Split
from genlab.spec import Spec


class Blank(InMemory):
    """What a spec says of a data set, with a blank image a class: enough to build networks and to sample them."""

    def __init__(self, spec: Spec, *, name: str = "blank") -> None:
        dtype = torch.float32 if spec.height is None else torch.uint8
        self._spec, rows = spec, spec.classes or 1
        labels = torch.arange(rows) if spec.classes else None
        labels = torch.zeros(1, spec.attributes) if spec.attributes else labels
        images = torch.zeros(rows, *spec.shape, dtype=dtype)
        super().__init__(Split(images, labels), padding=spec.padding, scale=spec.scale, name=name)

    @property
    def spec(self) -> Spec:
        return self._spec
