"""The trained model as metrics see it: what they may ask for beside samples."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from genlab.core.evaluation_mode import evaluating
from genlab.core.pixels import to_float
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.data.dataset import InMemory, Split
from genlab.models.contract import Model


class TrainedModel(Protocol):
    """Attributes and methods of a stream of samples that metrics use."""

    @property
    def model(self) -> Model: ...

    @property
    def decoding(self) -> Any:
        """Return the loss that reads a decoder's output as an image; None: the output is one."""

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def spec(self) -> Spec: ...

    @property
    def data(self) -> InMemory: ...

    def sampling(self) -> AbstractContextManager[nn.Module]:
        """Give the generator or decoder that samples come from, in evaluation mode."""

    def render(self, output: Tensor) -> Tensor:
        """Return the network's output as images in [-1, 1]."""

    def draw_samples(self, start: int, count: int, condition: Tensor | None = None) -> Tensor:
        """Return images of rows of the fixed stream, under another condition if one is given."""

    def fixed_draws(self, chunk: int) -> Draws:
        """Return the draws of a chunk of the fixed stream."""

    def sample_conditions(self, start: int, count: int) -> Tensor | None:
        """Return the conditions of rows of the fixed stream."""


@contextmanager
def evaluation_mode(trained: TrainedModel) -> Iterator[nn.Module]:
    """Put the whole model into evaluation mode, and give the network that samples come from."""
    with evaluating(trained.model), trained.sampling() as decoder:
        yield decoder


def network_inputs(trained: TrainedModel, split: Split) -> tuple[Tensor, Tensor | None]:
    """Return real images as networks see them, padding included, and the conditions of a conditional model."""
    images = to_float(split.images).to(trained.device, trained.dtype)
    if not trained.model.conditional:
        return images, None
    return images, trained.spec.condition.as_input(split.labels, trained.dtype).to(trained.device)


def split_rows(split: Split, start: int, count: int) -> Split:
    return Split(*(None if part is None else part[start : start + count] for part in split))
