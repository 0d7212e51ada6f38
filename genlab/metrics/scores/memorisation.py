"""Memorisation: are samples copies of training images?"""

import math

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.metrics.metric import IllustratedMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.distances import nearest_neighbours

SAMPLES_SHOWN, NEIGHBOURS_SHOWN = 16, 3  # training images beside each sample


class Memorisation(IllustratedMetric):
    """Compares the distance of samples to the training images with that of test images.

    `novelty`: the probability that a sample lies farther from its nearest training image than a test image from its
    own: 0.5 for samples as new as real images, 0 for copies, near 1 for samples unlike any image. `copying_z`: the same
    as a z score (Mann-Whitney), far below 0 for copies: the global test of Meehan et al. 2020. Neither depends on
    `metrics.split`; data need a test split. The samples nearest to training images are shown beside the nearest ones.
    """

    numbers = ("novelty", "copying_z")
    scattered_by_few = True
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the scores; nan if any sample is not finite."""
        try:
            train, test = (reference.other_split(split).features for split in ("train", "test"))
        except ConfigError:  # no such split
            return {}
        if not self.finite:
            return {"novelty": math.nan, "copying_z": math.nan}
        return mann_whitney(*(nearest_neighbours(part.cpu(), train)[0] for part in (self.features, test)))

    def pictures(self, reference: Reference) -> dict[str, Tensor]:
        """Return groups of a sample and its nearest training images, the likeliest copies first."""
        if not self.has_pictures(reference):
            return {}
        training, features, spec = reference.other_split("train"), self.features.cpu(), reference.data.spec
        distance, _ = nearest_neighbours(features, training.features)
        rows = distance.argsort(stable=True)[:SAMPLES_SHOWN]
        count = min(NEIGHBOURS_SHOWN, training.count)
        beside = torch.cdist(features[rows], training.features).topk(count, largest=False).indices
        samples = self.source.regenerate(rows.tolist(), spec)[:, None]
        return {"nearest training images": torch.cat([samples, spec.crop(training.split.images)[beside]], 1)}


def mann_whitney(a: Tensor, b: Tensor) -> dict[str, float]:
    """Return `novelty`, P(a > b) + P(a = b) / 2, of numbers [N] and [M], and its z score: Mann and Whitney 1947."""
    from scipy.stats import rankdata  # slow to import

    n, m = len(a), len(b)
    larger = rankdata([*a.tolist(), *b.tolist()])[:n].sum() - n * (n + 1) / 2
    return {
        "novelty": float(larger / (n * m)),
        "copying_z": float((larger - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)),
    }
