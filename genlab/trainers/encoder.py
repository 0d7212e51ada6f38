"""Codes and reconstructions of models that encode images, for callbacks and sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.core.evaluation import evaluating
from genlab.models.contract import EncodesImages
from genlab.pictures.pixels import to_float

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.data import Split
    from genlab.trainers.sample_stream import SampleStream


def encodes(samples: SampleStream) -> bool:
    return isinstance(samples.model, EncodesImages)


def first_images(samples: SampleStream, count: int) -> tuple[Split, Tensor, Tensor | None]:
    """Return the first rows of the test (else training) split, their images as networks see them, and conditions."""
    data, spec = samples.data, samples.spec
    split = type(data.train)(*(None if part is None else part[:count] for part in data.test or data.train))
    images = to_float(split.images) if split.images.dtype == torch.uint8 else split.images / spec.scale
    condition = samples.conditions_of(split, len(split.images))
    return split, images.to(samples.device, samples.dtype), condition


@torch.no_grad()
def encode(samples: SampleStream, images: Tensor, condition: Tensor | None) -> Tensor:
    with evaluating(samples.model):
        return samples.model.codes(images, condition)


@torch.no_grad()
def decode(samples: SampleStream, codes: Tensor, condition: Tensor | None) -> Tensor:
    """Return images in [-1, 1], as networks see them."""
    with samples.sampling() as generator:
        return samples.render(generator(codes, condition))
