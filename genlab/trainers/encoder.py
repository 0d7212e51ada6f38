"""What callbacks ask of models that encode images: those with `codes`, the images' latents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from genlab.models.contract import EncodesImages
from genlab.pictures.pixels import to_float

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
    seen = to_float(split.images) if split.images.dtype == torch.uint8 else split.images / spec.scale
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


@contextmanager
def evaluating(samples: SampleStream) -> Iterator[None]:
    was_training = samples.model.training
    samples.model.eval()
    try:
        yield
    finally:
        samples.model.train(was_training)
