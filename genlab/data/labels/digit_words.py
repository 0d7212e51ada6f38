"""Words for MNIST's digits: their name, and how they are written, measured in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab.data.dataset import Split
from genlab.data.labels.words import encoded
from genlab.data.visible_words import VisibleWords

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# About a quarter of the training digits lie beyond each. They lean to the right by 0.1 on the whole.
THIN, BOLD = 2.0, 2.8  # pixels of the stroke's width
LEFT, RIGHT = -0.1, 0.3  # pixels to the right for each pixel up
VOCABULARY = tuple(sorted((*DIGITS, "thin", "bold", "slanted", "left", "right")))
LONGEST = 4  # words of one image


def stroke(images: Tensor) -> Tensor:
    """uint8 [N, 1, H, W] -> [N] pixels: twice the area over the length of the outline, which is the total variation."""
    ink = images[:, 0].float() / 255
    down, right = ink.diff(dim=1)[:, :, :-1], ink.diff(dim=2)[:, :-1]
    return 2 * ink.sum((1, 2)) / (down.square() + right.square()).sqrt().sum((1, 2)).clamp(min=1e-6)


def slant(images: Tensor) -> Tensor:
    """uint8 [N, 1, H, W] -> [N]: pixels to the right for each pixel up, from the ink's second moments."""
    ink = images[:, 0].float()
    rows, columns = (torch.arange(side, dtype=ink.dtype, device=ink.device) for side in ink.shape[1:])
    total = ink.sum((1, 2)).clamp(min=1e-6)
    y = rows - (ink.sum(2) @ rows / total)[:, None]
    x = columns - (ink.sum(1) @ columns / total)[:, None]
    together = torch.einsum("nhw,nh,nw->n", ink, y, x)
    upright = torch.einsum("nhw,nh->n", ink, y.square())
    return -together / upright.clamp(min=1e-6)


def see(images: Tensor) -> Tensor:
    """uint8 [N, 1, 28, 28] -> bool [N, 4]: whether each word of `RULE` applies."""
    width, lean = stroke(images), slant(images)
    return torch.stack([width < THIN, width > BOLD, lean < LEFT, lean > RIGHT], 1)


RULE = VisibleWords(("thin", "bold", "left", "right"), see)


def captions(split: Split) -> Split:
    """With words in the place of classes, such as `bold three slanted right`: the name, and what else applies."""
    texts = [caption(*facts) for facts in zip(split.labels.tolist(), see(split.images).tolist(), strict=True)]
    return split._replace(labels=encoded(texts, VOCABULARY, LONGEST))


def caption(digit: int, applies: Sequence[bool]) -> str:
    """`applies`: each word of `RULE`."""
    thin, bold, left, right = ([word] * seen for word, seen in zip(RULE.words, applies, strict=True))
    return " ".join([*thin, *bold, DIGITS[digit], *(["slanted"] if left or right else []), *left, *right])
