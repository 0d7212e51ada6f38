"""A stand-in for a data set of which only the spec is known."""

import torch

from genlab.core.spec import Spec
from genlab.data.dataset import InMemory, Split


class Blank(InMemory):
    """A data set with a given spec and a blank image for each stand-in label: enough to build and sample networks."""

    def __init__(self, spec: Spec, *, name: str = "blank") -> None:
        labels = None if spec.condition is None else spec.condition.stand_ins()
        dtype, rows = torch.float32 if spec.height is None else torch.uint8, 1 if labels is None else len(labels)
        self._spec, images = spec, torch.zeros(1, *spec.shape, dtype=dtype).expand(rows, *spec.shape)
        facts = {"padding": spec.padding, "scale": spec.scale, "condition": spec.condition}
        super().__init__(Split(images), **facts, layout="NCHW", name=name)
        self.train = self.pool = Split(images, labels)  # sources may differ in size from images
        if spec.has_source:  # a spec does not say whether they were partners
            self.other = InMemory(Split(labels), layout="NCHW")

    @property
    def spec(self) -> Spec:
        return self._spec
