"""KID: the kernel distance between features of generated and of real images."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from genlab.core.types import Amount, Several, Whole
from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference


class KID(FeatureMetric):
    """`kid`, Binkowski et al. 2018: mean over subsets of the squared MMD; `kid_deviation` between subsets.

    Unbiased: few images make it noisier but not larger; it may be below 0; lower is better. Subsets are drawn as
    torch-fidelity draws them. With fewer images than `subset_size`, a subset holds all of them.
    """

    numbers = ("kid", "kid_deviation")
    scattered_by_few = True
    neutral = ("kid_deviation",)
    judges_run = True
    needs_features = True
    min_images = 2  # a pair

    def __init__(
        self,
        subsets: Amount = 100,  # the paper's and torch-fidelity's
        subset_size: Several = 1_000,  # images of either kind
        seed: Whole = 2020,  # of the subsets alone
    ) -> None:
        super().__init__()
        self.subsets, self.subset_size, self.seed = subsets, subset_size, seed
        self.used_size = subset_size  # in the latest score

    @property
    def settings(self) -> str:
        return f"{self.subsets:,} subsets of {self.used_size:,}, seed {self.seed}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return mean and deviation over subsets; nan if any sample is not finite."""
        real = reference.features
        self.used_size = min(self.subset_size, len(real), len(self.features))
        if not self.finite:
            return {"kid": math.nan, "kid_deviation": math.nan}
        found = torch.tensor([polynomial_mmd(*pair) for pair in self.draw_subsets(self.features.cpu(), real)])
        return {"kid": found.mean().item(), "kid_deviation": found.std(correction=0).item()}

    def draw_subsets(self, fake: Tensor, real: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `subsets` pairs of random subsets of samples and real images, float64 [used_size, D] each."""
        source = np.random.RandomState(self.seed)  # the legacy generator is torch-fidelity's
        for _ in range(self.subsets):
            rows = [source.choice(len(part), self.used_size, replace=False) for part in (fake, real)]
            yield fake[rows[0]].double(), real[rows[1]].double()


def polynomial_mmd(a: Tensor, b: Tensor) -> float:
    """Return the squared MMD of features [N, D] each, under the kernel (x.y / D + 1)^3: Gretton et al. 2012, eq. 3."""
    count = len(a)
    within = sum(polynomial_kernel(part, part).fill_diagonal_(0).sum() for part in (a, b)) / (count * (count - 1))
    return (within - 2 * polynomial_kernel(a, b).mean()).item()


def polynomial_kernel(a: Tensor, b: Tensor) -> Tensor:
    """Return the kernel matrix [N, M]."""
    return (a @ b.T / a.shape[1] + 1) ** 3
