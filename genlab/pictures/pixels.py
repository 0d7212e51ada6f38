"""How images and points reach an extractor."""

import torch
from torch import Tensor

from genlab.core.spec import Spec


def as_seen(samples: Tensor, spec: Spec) -> Tensor:
    """What a generator made, as it is measured: images cropped and as saved, points in the data's own units."""
    return samples.float() * spec.scale if spec.height is None else as_saved(spec.crop(samples))


def real_as_seen(images: Tensor, spec: Spec) -> Tensor:
    """The same for what a data set holds."""
    return images if spec.height is None else to_float(spec.crop(images))


def as_saved(images: Tensor) -> Tensor:
    """Float images as they would come back from an 8-bit file."""
    return to_float(((images.float().clamp(-1, 1) + 1) * 127.5).round())


def to_bytes(images: Tensor) -> Tensor:
    """[-1, 1] -> uint8."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def to_float(pixels: Tensor) -> Tensor:
    """0 ... 255 -> float in [-1, 1]."""
    return pixels.float() / 127.5 - 1
