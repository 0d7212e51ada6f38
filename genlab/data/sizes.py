"""Images of a given size: padded where that is enough, else resized."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

PADS = (2, 4)  # pixels that a set on black ground may gain a side pair: 28 becomes 30 or 32
CHUNK = 2_000  # images resized together: float pixels take four times the memory


def padding_for(side: int, size: int | None) -> int:
    """Pixels a side that turn `side` into `size`, if a thin frame does it; else 0."""
    return (size - side) // 2 if size is not None and size - side in PADS else 0


def sized(images: Tensor, size: int | None, *, padding: int = 0) -> Tensor:
    """uint8 [N, C, H, W] -> [N, C, size, size]: framed in `padding` black pixels, or resized (antialiased bilinear)."""
    if size is None or size == images.shape[-1] == images.shape[-2]:
        return images
    if padding:
        return pad(images, [padding] * 4)
    return torch.cat([_resized(chunk, size) for chunk in images.split(CHUNK)])


def _resized(images: Tensor, size: int) -> Tensor:
    resized = interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True)
    return resized.round().clamp(0, 255).to(torch.uint8)
