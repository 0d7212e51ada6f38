"""Sheets of pictures: many images as one that can be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

GAP = 2  # pixels between pictures
GREY = 128  # its colour: seen on black digits and on white paper
READABLE = 500  # pixels: narrower grids are enlarged


def sheet(images: Tensor, columns: int) -> Tensor:
    """uint8 [N, C, H, W] -> a picture of them that is large enough to look at."""
    images = drawable(images.cpu())
    factor = -(-READABLE // (columns * images.shape[-1]))
    return tile(enlarge(images, factor), columns)


def drawable(images: Tensor) -> Tensor:
    """[N, C, H, W] with channels laid side by side where an image file has no such number of them."""
    if images.shape[1] in (1, 3, 4):
        return images
    return images.permute(0, 2, 1, 3).flatten(2).unsqueeze(1)


def enlarge(images: Tensor, factor: int) -> Tensor:
    """Each pixel `factor` times as wide and high."""
    return images.repeat_interleave(factor, -1).repeat_interleave(factor, -2)


def tile(images: Tensor, columns: int) -> Tensor:
    """uint8 [N, C, H, W] -> [C, rows * (H + GAP) - GAP, columns * (W + GAP) - GAP], row by row; missing ones grey."""
    number, channels, height, width = images.shape
    rows, height, width = -(-number // columns), height + GAP, width + GAP
    cells = images.new_full((rows * columns, channels, height, width), GREY)
    cells[:number, :, :-GAP, :-GAP] = images
    sheet = cells.view(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return sheet.reshape(channels, rows * height, columns * width)[:, :-GAP, :-GAP]


def write_png(picture: Tensor, path: Path) -> None:
    """uint8 [1, 3 or 4, H, W]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    as_pil(picture).save(path)


def as_pil(picture: Tensor) -> Image.Image:
    """uint8 [1, 3 or 4, H, W] -> grey, RGB or RGBA."""
    from PIL import Image

    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
