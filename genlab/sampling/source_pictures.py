"""Source pictures of any size, prepared for a translating network."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec

Margin = tuple[int, int, int, int]  # pixels added on the left, right, top and bottom


def source_input(images: Tensor, spec: Spec) -> Tensor:
    """Return source pictures as network input. Raises ConfigError for a wrong number of channels."""
    source = spec.require_source()
    images = images.unsqueeze(1) if source.classes and images.ndim == 3 else images
    if images.ndim != 4 or images.shape[1] != source.channels:
        kind = f"label maps of {source.classes} classes" if source.classes else "pictures"
        raise ConfigError(
            f"pictures of shape {list(images.shape)}: this model takes {kind}, [n, {source.channels}, H, W]."
        )
    whole = images.dtype == torch.uint8 or source.classes
    return source.as_input(images if whole else images.float(), torch.float32)


def extend_to_multiple(sources: Tensor, multiple: int | None, spec: Spec) -> tuple[Tensor, Margin]:
    """Return pictures whose sides are multiples of `multiple`, and the margin of repeated edge pixels around them.

    With `multiple` None the network takes one size only; raises ConfigError for another.
    """
    height, width = sources.shape[2:]
    if multiple is None:
        source = spec.require_source()
        if (height, width) != source.shape[1:]:
            raise ConfigError(
                f"pictures of {width} x {height} pixels: this model takes {source.width} x {source.height} alone."
            )
        return sources, (0, 0, 0, 0)
    missing = [-side % multiple for side in (width, height)]
    margin = tuple(part for lack in missing for part in (lack // 2, lack - lack // 2))
    return (pad(sources, margin, mode="replicate") if any(margin) else sources), margin


def remove_margin(images: Tensor, extended: Tensor, margin: Margin) -> Tensor:
    """Cut the margin off the outputs for `extended` pictures; the outputs may be whole multiples as large."""
    height, width = images.shape[2:]
    down, right = height // extended.shape[2], width // extended.shape[3]
    left, after, top, below = margin
    return images[..., top * down : height - below * down, left * right : width - after * right].contiguous()
