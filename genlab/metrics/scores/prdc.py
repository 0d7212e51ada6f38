"""Precision, recall, density and coverage: are samples as good as real images, and as varied?"""

import math

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.types import Amount
from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.distances import MAX_ROWS, neighbour_distances


class PRDC(FeatureMetric):
    """`precision`, `recall` (Kynkäänniemi et al. 2019, eq. 2), `density`, `coverage` (Naeem et al. 2020, section 3).

    Higher is better. All depend on the numbers of images on both sides: compare equal numbers alone.
    """

    numbers = ("precision", "recall", "density", "coverage")
    scattered_by_few = True
    higher_is_better = True
    needs_features = True
    settings_to_lower = "k_precision and k_density"

    def __init__(
        self,
        k_precision: Amount = 3,  # neighbour that a ball reaches to: the first paper's choice
        k_density: Amount = 5,  # the second's
    ) -> None:
        super().__init__()
        self.k_precision, self.k_density = k_precision, k_density
        self.min_images = 1 + max(k_precision, k_density)

    @property
    def settings(self) -> str:
        return f"k={self.k_precision} (precision, recall), k={self.k_density} (density, coverage)"

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the four scores; all nan if any sample is not finite."""
        if not self.finite:
            return dict.fromkeys(("precision", "recall", "density", "coverage"), math.nan)
        real = reference.features.to(self.features.device)
        return prdc(real, self.features, k_precision=self.k_precision, k_density=self.k_density)


def prdc(real: Tensor, fake: Tensor, *, k_precision: int = 3, k_density: int = 5) -> dict[str, float]:
    """Return the scores of features [N, D] and [M, D]. A ball about a point reaches to its k-th neighbour of its kind.

    precision: fakes in any real ball; recall: reals in any fake ball; density: real balls that a fake lies in, over k;
    coverage: real balls with any fake inside. Raises ConfigError if either has no k-th neighbour.
    """
    most, fewest = max(k_precision, k_density), min(len(real), len(fake))
    if fewest <= most:
        raise ConfigError(f"precision, recall of {fewest} images: expected more than k={most}; raise metrics.images.")
    near, wide = neighbour_distances(real, [k_precision, k_density])
    (own,) = neighbour_distances(fake, [k_precision])
    precise = dense = 0  # become tensors, which are read once at the end
    recalled, closest = torch.zeros_like(near, dtype=torch.bool), torch.full_like(near, math.inf)
    for rows, radius in zip(fake.split(MAX_ROWS), own.split(MAX_ROWS), strict=True):
        far = torch.cdist(rows, real)
        precise = precise + (far < near).any(1).sum()
        dense = dense + (far < wide).sum()
        recalled |= (far < radius.unsqueeze(1)).any(0)
        closest = torch.minimum(closest, far.amin(0))
    return {
        "precision": precise.item() / len(fake),
        "recall": recalled.sum().item() / len(real),
        "density": dense.item() / (k_density * len(fake)),
        "coverage": (closest < wide).sum().item() / len(real),
    }
