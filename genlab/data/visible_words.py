"""Words that can be checked in a picture."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class VisibleWords(NamedTuple):
    """Words, and how to measure in pictures which of them hold."""

    words: tuple[str, ...]
    see: Callable[[Tensor], Tensor]  # uint8 [N, C, H, W], without padding -> bool [N, words]
