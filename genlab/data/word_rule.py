"""Words whose truth can be measured in a picture."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class WordRule(NamedTuple):
    """Words, and the rule that measures which of them hold."""

    words: tuple[str, ...]
    measure: Callable[[Tensor], Tensor]  # uint8 [N, C, H, W], without padding -> bool [N, words]
