"""The generator learns from its best images alone."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from genlab.core.types import Share


@dataclass(frozen=True)
class TopK:
    """Sinha et al. 2020, section 3: of the generated images only those count that the discriminator finds best.

    Their share falls by a constant factor an image, from 1 to `final`, as in the paper, which multiplies it by 0.99
    after every epoch down to a half or three quarters. Each micro-batch keeps its own best.
    """

    final: Share = 0.5  # of a batch; at least one image is kept
    until: Share = 1.0  # of the run, where the fall ends

    def __call__(self, values: Tensor, logits: Tensor, progress: float) -> Tensor:
        """Of one value an image [N] those with the highest logits [N]: [k]. `progress`: of the run, in [0, 1]."""
        count = self.count(len(values), progress)
        return values if count == len(values) else values.index_select(0, logits.topk(count, sorted=False).indices)

    def count(self, images: int, progress: float) -> int:
        return max(1, round(self.share(progress) * images))

    def share(self, progress: float) -> float:
        return self.final if progress >= self.until else self.final ** (progress / self.until)
