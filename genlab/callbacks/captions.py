"""Rows of pictures that show texts, with the text beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genlab.data.labels.words import text_of

if TYPE_CHECKING:
    from genlab.trainers.trainer import Trainer

LOOKED = 10_000  # training images whose texts are counted
LETTER, MARGIN = 16, 6  # pixels: the height of letters, and around them


def frequent(labels: Tensor, count: int) -> Tensor:
    """[at most `count`, L]: the texts that most of the first images have."""
    texts = Counter(map(tuple, labels[:LOOKED].tolist()))
    return torch.tensor([text for text, _ in texts.most_common(count)])


def texts_of(trainer: Trainer, rows: int) -> Tensor:
    """All there are if they fit on twice as many rows, else the most frequent ones."""
    found = frequent(trainer.data.train.labels, 2 * rows + 1)
    return found if len(found) <= 2 * rows else found[:rows]


def captioned(picture: Tensor, texts: Tensor, words: Sequence[str]) -> Tensor:
    """uint8 [1, 3 or 4, H, W] of equally high rows -> the same with the text of each, [rows, L], to its left."""
    from PIL import Image, ImageDraw, ImageFont

    lines = [text_of(text, words) for text in texts.tolist()]
    font, height = ImageFont.load_default(LETTER), picture.shape[1]
    width = 2 * MARGIN + max(int(font.getlength(line)) for line in lines)
    margin = Image.new("L", (width, height), "white")
    pen = ImageDraw.Draw(margin)
    for row, line in enumerate(lines):
        pen.text((MARGIN, height * (row + 0.5) / len(lines)), line, fill="black", font=font, anchor="lm")
    written = torch.from_numpy(np.array(margin)).expand(picture.shape[0], -1, -1).clone()
    written[3:] = 255  # opaque
    return torch.cat([written, picture], dim=2)
