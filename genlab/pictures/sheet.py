"""Sheets: many images laid out as one picture, large enough to look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.core.whole_files import drop_link

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

GAP = 2  # pixels between pictures
GREY = 128  # of the gap: differs from black digits and from white paper
MIN_WIDTH = 500  # pixels: narrower sheets are enlarged
GROUPED_IMAGES_PER_ROW = 8
GROUP_MARGIN = 6  # pixels around a group, so that images of one group stand closer together
CAPTION_HEIGHT, CAPTION_MARGIN = 16, 6  # pixels
CAPTION_SPACING = 4  # pixels between lines
CAPTION_LENGTH = 40  # characters of a line, where lines have room below each other
MIN_CAPTION_LENGTH = 20  # characters that fit on a column, for its text to be broken and not turned


def sheet(images: Tensor, columns: int, *, sheets_abreast: int = 1) -> Tensor:
    """Return a picture of uint8 images [N, C, H, W], as wide as MIN_WIDTH for all sheets that stand side by side."""
    images = with_drawable_channels(images.cpu())
    factor = -(-MIN_WIDTH // (sheets_abreast * columns * images.shape[-1]))
    return tile(enlarge(images, factor), columns)


def draw_groups(images: Tensor) -> Tensor:
    """Return a picture of G groups of n images each, uint8 [G, n, C, H, W], row by row."""
    size = images.shape[1]
    columns = max(1, GROUPED_IMAGES_PER_ROW // size)
    strips = torch.stack([sheet(group, size, sheets_abreast=columns) for group in images])
    return tile(pad(strips, [GROUP_MARGIN] * 4, value=GREY), columns)


def with_drawable_channels(images: Tensor) -> Tensor:
    """Return images [N, C, H, W], their channels side by side unless image files have that many (1, 3 or 4)."""
    if images.shape[1] in (1, 3, 4):
        return images
    return images.permute(0, 2, 1, 3).flatten(2).unsqueeze(1)


def enlarge(images: Tensor, factor: int) -> Tensor:
    """Repeat each pixel `factor` times along both sides."""
    return images.repeat_interleave(factor, -1).repeat_interleave(factor, -2)


def tile(images: Tensor, columns: int) -> Tensor:
    """Lay uint8 [N, C, H, W] out row by row, grey between them and in cells that stay empty.

    Returns [C, rows * (H + GAP) - GAP, columns * (W + GAP) - GAP].
    """
    number, channels, height, width = images.shape
    rows, height, width = -(-number // columns), height + GAP, width + GAP
    cells = images.new_full((rows * columns, channels, height, width), GREY)
    cells[:number, :, :-GAP, :-GAP] = images
    grid = cells.view(rows, columns, channels, height, width).permute(2, 0, 3, 1, 4)
    return grid.reshape(channels, rows * height, columns * width)[:, :-GAP, :-GAP]


def caption_rows(picture: Tensor, lines: Sequence[str]) -> Tensor:
    """Add to a picture of equally high rows, uint8 [1, 3 or 4, H, W], a text to the left of each."""
    from PIL import Image, ImageDraw, ImageFont

    font, height = ImageFont.load_default(CAPTION_HEIGHT), picture.shape[1]
    room = height // len(lines) // (CAPTION_HEIGHT + CAPTION_SPACING)
    lines = [wrap(line, room) for line in lines]
    width = 2 * CAPTION_MARGIN + max(int(font.getlength(part)) for line in lines for part in line.split("\n"))
    margin = Image.new("L", (width, height), "white")
    pen = ImageDraw.Draw(margin)
    for row, line in enumerate(lines):
        place = (CAPTION_MARGIN, height * (row + 0.5) / len(lines))
        pen.text(place, line, fill="black", font=font, anchor="lm", spacing=CAPTION_SPACING)
    return torch.cat([as_channels(margin, picture.shape[0]), picture], dim=2)


def wrap(text: str, most: int) -> str:
    """Break a long text into at most `most` lines, of CAPTION_LENGTH characters if these suffice."""
    if most < 2 or len(text) <= CAPTION_LENGTH:
        return text
    broken = (textwrap.wrap(text, width) for width in range(CAPTION_LENGTH, len(text) + 1))
    return "\n".join(next(lines for lines in broken if len(lines) <= most))


def caption_columns(picture: Tensor, lines: Sequence[str]) -> Tensor:
    """Add to a picture of equally wide columns a text above each, which reads downwards where it is too long."""
    from PIL import Image, ImageDraw, ImageFont

    font, width = ImageFont.load_default(CAPTION_HEIGHT), picture.shape[2]
    room = width / len(lines) - CAPTION_MARGIN
    characters = int(room / font.getlength("n"))
    broken = [textwrap.fill(line, characters) if characters >= MIN_CAPTION_LENGTH else line for line in lines]
    if max(font.getlength(part) for line in broken for part in line.split("\n")) > room:
        return caption_rows(picture.rot90(1, (1, 2)), lines[::-1]).rot90(-1, (1, 2))
    most = 1 + max(line.count("\n") for line in broken)
    margin = Image.new("L", (width, most * CAPTION_HEIGHT + (most - 1) * CAPTION_SPACING + CAPTION_MARGIN), "white")
    pen = ImageDraw.Draw(margin)
    for column, line in enumerate(broken):
        place = (width * (column + 0.5) / len(lines), margin.height / 2)
        pen.text(place, line, fill="black", font=font, anchor="mm", align="center", spacing=CAPTION_SPACING)
    return torch.cat([as_channels(margin, picture.shape[0]), picture], dim=1)


def as_channels(margin: Image.Image, channels: int) -> Tensor:
    """Return a grey margin as uint8 [1, 3 or 4, H, W], opaque."""
    pixels = torch.from_numpy(np.array(margin)).expand(channels, -1, -1).clone()
    pixels[3:] = 255
    return pixels


def write_png(picture: Tensor, path: Path) -> None:
    """Write uint8 [1, 3 or 4, H, W] as grey, RGB or RGBA, and make the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    as_pil(picture).save(drop_link(path), pnginfo=png_mark())


def png_mark() -> PngInfo:
    """Return the text that PNGs carry, by which data sets tell them from the user's own (`file_kinds.is_own_png`)."""
    from PIL.PngImagePlugin import PngInfo

    mark = PngInfo()
    mark.add_text("Software", "genlab")
    return mark


def as_pil(picture: Tensor) -> Image.Image:
    """Return uint8 [1, 3 or 4, H, W] as a grey, RGB or RGBA image."""
    from PIL import Image

    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
