"""Words for MNIST's digits: their names, and their stroke and slant as measured in the picture."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab.core.errors import require
from genlab.core.words import encode_texts
from genlab.data.dataset import Split
from genlab.data.word_rule import WordRule

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# About a quarter of the training digits lie beyond each threshold. The mean slant is 0.1 to the right.
THIN, BOLD = 2.0, 2.8  # pixels of the stroke's width
LEFT, RIGHT = -0.1, 0.3  # pixels to the right for each pixel up
VOCABULARY = tuple(sorted((*DIGITS, "thin", "bold", "slanted", "left", "right")))
MAX_WORDS = 4  # of one image


def stroke(images: Tensor) -> Tensor:
    """Return stroke widths [N] in pixels of uint8 [N, 1, H, W]: twice the area over the outline (total variation)."""
    ink = images[:, 0].float() / 255
    down, right = ink.diff(dim=1)[:, :, :-1], ink.diff(dim=2)[:, :-1]
    return 2 * ink.sum((1, 2)) / (down.square() + right.square()).sqrt().sum((1, 2)).clamp(min=1e-6)


def slant(images: Tensor) -> Tensor:
    """Return slants [N] of uint8 [N, 1, H, W]: pixels to the right for each pixel up, from the ink's second moments."""
    ink = images[:, 0].float()
    rows, columns = (torch.arange(side, dtype=ink.dtype, device=ink.device) for side in ink.shape[1:])
    total = ink.sum((1, 2)).clamp(min=1e-6)
    y = rows - (ink.sum(2) @ rows / total)[:, None]
    x = columns - (ink.sum(1) @ columns / total)[:, None]
    covariance = torch.einsum("nhw,nh,nw->n", ink, y, x)
    variance = torch.einsum("nhw,nh->n", ink, y.square())
    return -covariance / variance.clamp(min=1e-6)


def measure_words(images: Tensor) -> Tensor:
    """Return whether each word of `RULE` applies, bool [N, 4], from uint8 [N, 1, 28, 28]."""
    width, lean = stroke(images), slant(images)
    return torch.stack([width < THIN, width > BOLD, lean < LEFT, lean > RIGHT], 1)


RULE = WordRule(("thin", "bold", "left", "right"), measure_words)


def captions(split: Split) -> Split:
    """Return the split with words instead of classes, such as `bold three slanted right`."""
    digits = require(split.labels, "these images have no classes to describe.")
    texts = [caption(*facts) for facts in zip(digits.tolist(), measure_words(split.images).tolist(), strict=True)]
    return split._replace(labels=encode_texts(texts, VOCABULARY, MAX_WORDS))


def caption(digit: int, applies: Sequence[bool]) -> str:
    """Return a digit's words; `applies` tells which words of `RULE` do."""
    thin, bold, left, right = ([word] * holds for word, holds in zip(RULE.words, applies, strict=True))
    return " ".join([*thin, *bold, DIGITS[digit], *(["slanted"] if left or right else []), *left, *right])
