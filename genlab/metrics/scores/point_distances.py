"""Distances between generated and real points: Wasserstein, MMD and divergences of histograms."""

import math

import torch
from torch import Tensor

from genlab.core.types import Amount, Several
from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.distances import map_rows
from genlab.metrics.scores.histogram_divergences import js_divergence, kl_divergence, shares
from genlab.metrics.scores.modes import nearest_modes

SMOOTHING_COUNT = 0.5  # added to counts (Krichevsky and Trofimov 1981): an empty bin costs finitely
BANDWIDTHS = (1 / 64, 1 / 16, 1 / 4, 1)  # of the median distance between real points


class PointPairs(FeatureMetric):
    """Compares the first `pairs` samples with as many real points."""

    needs_features = True

    def __init__(self, pairs: Amount) -> None:
        super().__init__()
        self.pairs = pairs

    @property
    def settings(self) -> str:
        return f"{self.pairs:,} pairs"

    def paired_points(self, reference: Reference) -> tuple[Tensor, Tensor]:
        """Return as many real as generated points, float64 on the CPU."""
        count = min(self.pairs, reference.count, len(self.features))
        return reference.features[:count].double(), self.features[:count].cpu().double()


class Wasserstein(PointPairs):
    """`w1`, the earth mover's distance between samples and as many real points; exact: the cheapest pairing of all.

    In the data's own units. Two draws of 1,000 real points have 0.07 on ring8 and 0.24 on grid25, as the number of
    points of a mode is random.
    """

    numbers = ("w1",)
    scattered_by_few = True

    def __init__(self, pairs: Amount = 1_000) -> None:  # 2 seconds; 2,500 take 30
        super().__init__(pairs)

    def compute(self, reference: Reference) -> dict[str, float]:
        from scipy.optimize import linear_sum_assignment  # slow to import

        if not self.finite:
            return {"w1": math.nan}
        real, fake = self.paired_points(reference)
        cost = map_rows(real, fake, lambda far: far).numpy()
        return {"w1": float(cost[linear_sum_assignment(cost)].mean())}


class MMD(PointPairs):
    """`mmd2`, the squared maximum mean discrepancy: Gretton et al. 2012, eq. 3, unbiased, may be below 0.

    The kernel is the mean of Gaussians exp(-d^2 / 2 s^2), with s 1/64, 1/16, 1/4 and 1 times the median distance
    between the real points: a single bandwidth would see either the modes' places or their widths.
    """

    numbers = ("mmd2",)
    scattered_by_few = True
    min_images = 2  # a pair

    def __init__(self, pairs: Several = 2_000) -> None:  # a second
        super().__init__(pairs)

    def compute(self, reference: Reference) -> dict[str, float]:
        if not self.finite:
            return {"mmd2": math.nan}
        return {"mmd2": gaussian_mmd(*self.paired_points(reference))}


class Divergences(FeatureMetric):
    """`kl`, KL(real | generated), `reverse_kl`, KL(generated | real), and `js`, of histograms, in nats.

    For mixtures the bins are the modes: a point counts for its nearest centre (Lin et al. 2018, section 4.1). For other
    sets they are squares over the real points' range, and one bin for all outside of it. Bins empty in both are left
    out; half a point is added to the counts that a KL divides by.
    """

    numbers = ("kl", "reverse_kl", "js")
    scattered_by_few = True
    needs_features = True

    def __init__(self, bins: Amount = 20) -> None:  # squares along each axis, where there are no modes
        super().__init__()
        self.bins = bins

    @property
    def settings(self) -> str:
        return f"bins: modes, or {self.bins} an axis"

    def compute(self, reference: Reference) -> dict[str, float]:
        if not self.finite:
            return dict.fromkeys(("kl", "reverse_kl", "js"), math.nan)
        table = torch.stack([self.counts(reference, points) for points in (reference.features, self.features.cpu())])
        real, fake = table[:, table.sum(0) > 0]
        return {
            "kl": kl_divergence(shares(real), shares(fake, SMOOTHING_COUNT)),
            "reverse_kl": kl_divergence(shares(fake), shares(real, SMOOTHING_COUNT)),
            "js": js_divergence(shares(real), shares(fake)),
        }

    def counts(self, reference: Reference, points: Tensor) -> Tensor:
        """Return the number of points [N, D] in each bin."""
        if reference.modes is not None:
            return torch.bincount(nearest_modes(points, reference.modes)[0], minlength=len(reference.modes.centres))
        low, high = reference.features.aminmax(dim=0)
        return grid_counts((points - low) / (high - low), self.bins)


def grid_counts(points: Tensor, bins: int) -> Tensor:
    """Return the number of points [N, D] in each cell of the unit cube and, last, outside of it: [bins^D + 1]."""
    outside = ((points < 0) | (points > 1)).any(1)
    cells = (points * bins).long().clamp(0, bins - 1)  # 1 itself is in the last cell
    number = (cells * bins ** torch.arange(points.shape[1])).sum(1)
    last = bins ** points.shape[1]
    return torch.bincount(torch.where(outside, last, number), minlength=last + 1)


def gaussian_mmd(real: Tensor, fake: Tensor) -> float:
    """Return the squared MMD of points [N, D] and [N, D] under Gaussian kernels."""
    count = len(real)
    median = torch.pdist(real).median()

    def kernel(a: Tensor, b: Tensor) -> float:
        return map_rows(a, b, lambda d: gaussian_kernel(d / median).sum(1, dtype=torch.float64)).sum().item()

    within = (kernel(real, real) + kernel(fake, fake) - 2 * count) / (count * (count - 1))  # a point with itself has 1
    return within - 2 * kernel(real, fake) / count**2


def gaussian_kernel(distance: Tensor) -> Tensor:
    """Return the mean over bandwidths, float32 [...]; 1 at distance 0."""
    halved = distance.float().square() / -2  # float32: an exponential costs a fifth of float64's
    return sum((halved / width**2).exp() for width in BANDWIDTHS) / len(BANDWIDTHS)
