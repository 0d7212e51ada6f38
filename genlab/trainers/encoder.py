"""What callbacks ask of models that encode images: those with `codes`, the images' latents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from genlab.core.pixels import network_values
from genlab.models.contract import EncodesImages

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.data import Split
    from genlab.trainers.sample_stream import SampleStream


def encodes(samples: SampleStream) -> bool:
    return isinstance(samples.model, EncodesImages)


def first_images(samples: SampleStream, count: int) -> tuple[Split, Tensor, Tensor | None]:
    """The first of the test split, else of the training images: as they are, as networks see them, their conditions."""
    data, spec = samples.data, samples.spec
    split = type(data.train)(*(None if part is None else part[:count] for part in data.test or data.train))
    seen = network_values(split.images, spec.scale)
    condition = samples.conditions_of(split, len(split.images))
    return split, seen.to(samples.device, samples.dtype), condition


@torch.no_grad()
def codes_of(samples: SampleStream, images: Tensor, condition: Tensor | None) -> Tensor:
    with evaluating(samples):
        return samples.model.codes(images, condition)


@torch.no_grad()
def decoded(samples: SampleStream, codes: Tensor, condition: Tensor | None) -> Tensor:
    """Images in [-1, 1], as networks see them."""
    with samples.sampling() as generator:
        return samples.render(generator(codes, condition))


def reconstruct(samples: SampleStream, count: int) -> tuple[Tensor, Tensor]:
    """Stored test images (training images where there are none), and what the model makes of each, in [-1, 1]."""
    split, images, condition = first_images(samples, count)
    return split.images, decoded(samples, codes_of(samples, images, condition), condition).cpu()


@contextmanager
def evaluating(samples: SampleStream) -> Iterator[None]:
    was_training = samples.model.training
    samples.model.eval()
    try:
        yield
    finally:
        samples.model.train(was_training)
