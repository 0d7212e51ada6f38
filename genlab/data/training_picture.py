"""A picture of a training set as networks see it, to look at before training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.core.random import Draws
from genlab.data.dataset import InMemory
from genlab.data.stream import Stream
from genlab.pictures.sheet import as_pil, sheet, write_png

if TYPE_CHECKING:
    from PIL import Image

COLUMNS = 8
Change = Callable[[Tensor, Draws, float], Tensor]  # an augmentation: images, draws and the share of the run done


def preview(
    data: InMemory,
    augmentations: Iterable[Change] = (),
    *,
    count: int = 32,  # images
    seed: int = 0,
    to: str | Path | None = None,  # a PNG to write
) -> Image.Image:
    """Return a picture of a training batch, resized, cropped and mirrored; with augmentations, below it as augmented.

    Raises ConfigError for points.
    """
    if data.spec.height is None:
        raise ConfigError(f"{data.name}: a preview shows images, and these are points.")
    draws = Draws((seed, "preview"), count, 0, count, torch.device("cpu"))
    images = Stream.of(data, seed=seed, device=draws.device).batch("preview", 0, draws)
    rows, changed = [images], images
    for place, change in enumerate(augmentations):
        changed = change(changed, draws.of(f"augmentation {place}"), 0.0)
    rows += [] if changed is images else [changed]
    picture = sheet(to_uint8(torch.cat(rows)), COLUMNS)
    if to is not None:
        write_png(picture, Path(to))
    return as_pil(picture)
