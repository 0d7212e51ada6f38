"""Pictures of a user's own size, as a translating network can take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.core.errors import ConfigError
from genlab.data.dataset import as_source

if TYPE_CHECKING:
    from genlab.core.spec import Spec

Frame = tuple[int, int, int, int]  # pixels added: left, right, above, below


def as_seen(images: Tensor, spec: Spec) -> Tensor:
    """Source pictures as networks see them. Raises ConfigError for another number of channels."""
    images = images.unsqueeze(1) if spec.source_classes and images.ndim == 3 else images
    channels = spec.source[0]
    if images.ndim != 4 or images.shape[1] != channels:
        kind = f"label maps of {spec.source_classes} classes" if spec.source_classes else "pictures"
        raise ConfigError(f"pictures of shape {list(images.shape)}: this model takes {kind}, [n, {channels}, H, W].")
    whole = images.dtype == torch.uint8 or spec.source_classes
    return as_source(images if whole else images.float(), spec.source_classes, torch.float32)


def extended(sources: Tensor, multiple: int | None, spec: Spec) -> tuple[Tensor, Frame]:
    """By their own edges, on all sides alike, until both sides are multiples. Raises ConfigError if none would do.

    None: the network takes the size that it was trained with alone.
    """
    height, width = sources.shape[2:]
    if multiple is None:
        if (height, width) != spec.source[1:]:
            raise ConfigError(
                f"pictures of {width} x {height} pixels: this model takes {spec.source[2]} x {spec.source[1]} alone."
            )
        return sources, (0, 0, 0, 0)
    missing = [-side % multiple for side in (width, height)]
    frame = tuple(part for lack in missing for part in (lack // 2, lack - lack // 2))
    return (pad(sources, frame, mode="replicate") if any(frame) else sources), frame


def cut_back(images: Tensor, framed: Tensor, frame: Frame) -> Tensor:
    """Without the frame, which is as many times as large as the images are."""
    height, width = images.shape[2:]
    down, right = height // framed.shape[2], width // framed.shape[3]
    left, after, top, below = frame
    return images[..., top * down : height - below * down, left * right : width - after * right].contiguous()
