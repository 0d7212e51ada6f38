"""Rows of pictures with captions beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

LETTER, MARGIN = 16, 6  # pixels: the height of letters, and around them


def captioned(picture: Tensor, lines: Sequence[str]) -> Tensor:
    """uint8 [1, 3 or 4, H, W] of equally high rows -> the same with a line of text to the left of each."""
    from PIL import Image, ImageDraw, ImageFont

    font, height = ImageFont.load_default(LETTER), picture.shape[1]
    width = 2 * MARGIN + max(int(font.getlength(line)) for line in lines)
    margin = Image.new("L", (width, height), "white")
    pen = ImageDraw.Draw(margin)
    for row, line in enumerate(lines):
        pen.text((MARGIN, height * (row + 0.5) / len(lines)), line, fill="black", font=font, anchor="lm")
    written = torch.from_numpy(np.array(margin)).expand(picture.shape[0], -1, -1).clone()
    written[3:] = 255  # opaque
    return torch.cat([written, picture], dim=2)
