"""A data set of which only its facts are known."""

import torch

from genlab.core.spec import Spec
from genlab.data.dataset import InMemory, Split


class Blank(InMemory):
    """What a spec says of a data set, with a blank image a label: enough to build networks and to sample them."""

    def __init__(self, spec: Spec, *, name: str = "blank") -> None:
        labels = None if spec.condition is None else spec.condition.stand_ins()
        dtype, rows = torch.float32 if spec.height is None else torch.uint8, 1 if labels is None else len(labels)
        self._spec, images = spec, torch.zeros(rows, *spec.shape, dtype=dtype)
        super().__init__(Split(images), padding=spec.padding, scale=spec.scale, name=name, condition=spec.condition)
        self.train = self.pool = Split(images, labels)  # a source may be of another size than its image
        if spec.has_source:  # whether they were partners, a spec does not say
            self.other = InMemory(Split(labels))

    @property
    def spec(self) -> Spec:
        return self._spec
