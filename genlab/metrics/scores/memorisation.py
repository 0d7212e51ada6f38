"""Are samples copies of training images?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.metrics.metric import Showing
from genlab.metrics.scores.distances import nearest

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference

SHOWN, BESIDE = 16, 3  # samples; training images beside each


class Memorisation(Showing):
    """Are samples nearer to the training images than real images are that were not trained on?

    `novelty`: the probability that a sample lies farther from its nearest training image than a test image from its
    own does: 0.5 as new as real images, 0 copies, near 1 where samples are unlike any image. `copying_z`: the same as
    deviations from 0.5 under chance (Mann-Whitney); far below 0, copied: the global test of Meehan et al. 2020.
    Whatever the split that scores compare with. Nothing for data without a test split. The samples that are nearest to
    a training image are shown, each beside the training images nearest to it.
    """

    numbers = ("novelty", "copying_z")
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite."""
        try:
            train, test = (reference.beside(split).features for split in ("train", "test"))
        except ConfigError:  # no such split
            return {}
        if not self.finite:
            return {"novelty": math.nan, "copying_z": math.nan}
        return mann_whitney(*(nearest(part.cpu(), train)[0] for part in (self.features, test)))

    def pictures(self, reference: Reference) -> dict[str, Tensor]:
        """Groups of a sample and its nearest training images, the likeliest copies first."""
        if not self.shows(reference):
            return {}
        training, features, spec = reference.beside("train"), self.features.cpu(), reference.data.spec
        distance, _ = nearest(features, training.features)
        rows = distance.argsort(stable=True)[:SHOWN]
        beside = torch.cdist(features[rows], training.features).topk(min(BESIDE, training.count), largest=False).indices
        samples = self.source.again(rows.tolist(), spec)[:, None]
        return {"nearest training images": torch.cat([samples, spec.crop(training.split.images)[beside]], 1)}


def mann_whitney(a: Tensor, b: Tensor) -> dict[str, float]:
    """`novelty`, P(a > b) + P(a = b) / 2, of numbers [N] and [M], and its z, by Mann and Whitney 1947."""
    from scipy.stats import rankdata  # slow to import

    n, m = len(a), len(b)
    larger = rankdata([*a.tolist(), *b.tolist()])[:n].sum() - n * (n + 1) / 2
    return {
        "novelty": float(larger / (n * m)),
        "copying_z": float((larger - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)),
    }
