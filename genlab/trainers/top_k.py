"""Top-k training: the generator learns from its best images only."""

from dataclasses import dataclass

from torch import Tensor

from genlab.core.schedule import Schedule
from genlab.core.types import Share


@dataclass(frozen=True)
class TopK(Schedule):
    """The share of generated images that count: Sinha et al. 2020, section 3.

    The share falls by a constant factor an image, from 1 to `final`; the paper multiplies it by 0.99 after every epoch,
    down to a half or three quarters.
    """

    final: Share = 0.5  # of a batch; at least one image is kept
    until: Share = 1.0  # of the run, where the fall ends

    def __call__(self, seen: int, total: int) -> float:
        progress = seen / total
        return self.final if progress >= self.until else self.final ** (progress / self.until)


def select_best(values: Tensor, logits: Tensor, share: float) -> Tensor:
    """Return the values [k] of the micro-batch's images [N] that the discriminator rates best, at least one."""
    count = max(1, round(share * len(values)))
    return values if count == len(values) else values.index_select(0, logits.topk(count, sorted=False).indices)
