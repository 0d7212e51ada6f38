"""The generator learns from its best images alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from genlab.core.schedule import Schedule
from genlab.core.types import Share


@dataclass(frozen=True)
class TopK(Schedule):
    """The share of generated images that count: Sinha et al. 2020, section 3.

    It falls by a constant factor an image, from 1 to `final`, as in the paper, which multiplies it by 0.99 after every
    epoch down to a half or three quarters.
    """

    final: Share = 0.5  # of a batch; at least one image is kept
    until: Share = 1.0  # of the run, where the fall ends

    def __call__(self, seen: int, total: int) -> float:
        progress = seen / total
        return self.final if progress >= self.until else self.final ** (progress / self.until)


def best_of(values: Tensor, logits: Tensor, share: float) -> Tensor:
    """Return, of one value an image [N], those of the images that the discriminator finds best: [k], at least one.

    Each micro-batch keeps its own best.
    """
    count = max(1, round(share * len(values)))
    return values if count == len(values) else values.index_select(0, logits.topk(count, sorted=False).indices)
