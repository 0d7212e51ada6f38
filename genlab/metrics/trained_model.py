"""What metrics may ask of a model beside its samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from genlab.core.pixels import to_float
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.data.dataset import InMemory, Split


class Trained(Protocol):
    """A trainer, as metrics see it."""

    model: nn.Module  # with `latent` and `conditional`; `codes` or `posterior` where it encodes
    loss: Any
    device: torch.device
    engine: Any  # has the `dtype` that networks work in
    spec: Spec
    data: InMemory

    def sampling(self) -> AbstractContextManager[nn.Module]:
        """The generator or decoder that samples come from, in evaluation mode."""

    def render(self, output: Tensor) -> Tensor:
        """What it gives, as images in [-1, 1]."""

    def fixed_draws(self, chunk: int) -> Draws:
        """Of some rows of the fixed stream."""

    def sample_conditions(self, start: int, count: int) -> Tensor | None:
        """Of rows of the fixed stream."""


@contextmanager
def evaluating(trained: Trained) -> Iterator[nn.Module]:
    """The whole model in evaluation mode; gives the decoder."""
    was_training = trained.model.training
    trained.model.eval()
    try:
        with trained.sampling() as decoder:
            yield decoder
    finally:
        trained.model.train(was_training)


def as_fed(trained: Trained, split: Split) -> tuple[Tensor, Tensor | None]:
    """Real images as networks see them, padding included, and what a conditional model is told of them."""
    images = to_float(split.images).to(trained.device, trained.engine.dtype)
    if not trained.model.conditional:
        return images, None
    floats = split.labels.is_floating_point()
    return images, split.labels.to(trained.device, trained.engine.dtype if floats else None)


def rows_of(split: Split, start: int, count: int) -> Split:
    return Split(*(None if part is None else part[start : start + count] for part in split))
