"""The kernel distance between features of generated and of real images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genlab.core.types import Count, Whole
from genlab.metrics.metric import Gathering

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference


class KID(Gathering):
    """`kid`, Binkowski et al. 2018: mean over subsets of the squared MMD; `kid_deviation` between subsets.

    Without bias, so that few images make it noisier but not larger; may be below 0; lower is better. Subsets are drawn
    as torch-fidelity draws them. Where there are fewer images than `subset_size`, a subset is as many as there are.
    """

    numbers = ("kid", "kid_deviation")
    judges_run = True
    needs_features = True
    least = 2  # a pair

    def __init__(
        self,
        subsets: Count = 100,  # the paper's and torch-fidelity's
        subset_size: Count = 1_000,  # images of either kind
        seed: Whole = 2020,  # of the subsets alone
    ) -> None:
        super().__init__()
        self.subsets, self.subset_size, self.seed = subsets, subset_size, seed
        self.used = subset_size  # by the latest score

    @property
    def settings(self) -> str:
        return f"{self.subsets:,} subsets of {self.used:,}, seed {self.seed}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite."""
        real = reference.features
        self.used = min(self.subset_size, len(real), len(self.features))
        if not self.finite:
            return {"kid": math.nan, "kid_deviation": math.nan}
        found = torch.tensor([squared_mmd(*pair) for pair in self.drawn(self.features.cpu(), real)])
        return {"kid": found.mean().item(), "kid_deviation": found.std(correction=0).item()}

    def drawn(self, fake: Tensor, real: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Float64 [used, D] of each, `subsets` times."""
        source = np.random.RandomState(self.seed)  # the legacy generator is torch-fidelity's
        for _ in range(self.subsets):
            rows = [source.choice(len(part), self.used, replace=False) for part in (fake, real)]
            yield fake[rows[0]].double(), real[rows[1]].double()


def squared_mmd(a: Tensor, b: Tensor) -> float:
    """Gretton et al. 2012, eq. 3, of features [N, D] and [N, D] under the kernel (x.y / D + 1)^3."""
    count = len(a)
    within = sum(kernel(part, part).fill_diagonal_(0).sum() for part in (a, b)) / (count * (count - 1))
    return (within - 2 * kernel(a, b).mean()).item()


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """[N, M]."""
    return (a @ b.T / a.shape[1] + 1) ** 3
