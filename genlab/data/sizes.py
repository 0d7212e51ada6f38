"""Images of a given size: cropped, padded or resized."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

PADDED_PIXELS = (2, 4)  # that padding may add to a side of black background: 28 becomes 30 or 32
RESIZE_CHUNK = 2_000  # images: float pixels take four times the memory


def crop_at(pictures: Tensor, size: int, down: Tensor, right: Tensor) -> Tensor:
    """Crop pictures [N, C, H, W] to squares [N, C, size, size] that begin `down` and `right` [N] pixels away."""
    windows = pictures.unfold(2, size, 1).unfold(3, size, 1)  # [N, C, H', W', size, size], a view
    return windows[torch.arange(len(pictures), device=pictures.device), :, down, right]


def crop_centre(pictures: Tensor, size: int) -> Tensor:
    """Return the square in the middle, as a view."""
    top, left = ((side - size) // 2 for side in pictures.shape[2:])
    return pictures[..., top : top + size, left : left + size]


def padding_for(side: int, size: int | None) -> int:
    """Return the padding, in pixels on each edge, from `side` to `size` if it is thin; else 0."""
    return (size - side) // 2 if size is not None and size - side in PADDED_PIXELS else 0


def fit_size(images: Tensor, size: int | None, *, padding: int = 0) -> Tensor:
    """Pad images uint8 [N, C, H, W] with black, or resize them to [N, C, size, size] (antialiased bilinear)."""
    if size is None or size == images.shape[-1] == images.shape[-2]:
        return images
    if padding:
        return pad(images, [padding] * 4)
    return torch.cat([_resize(chunk, size) for chunk in images.split(RESIZE_CHUNK)])


def _resize(images: Tensor, size: int) -> Tensor:
    resized = interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True)
    return resized.round().clamp(0, 255).to(torch.uint8)
