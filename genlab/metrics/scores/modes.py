"""Mode coverage: which modes of the data does a generator find?"""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.core.types import Positive
from genlab.data.sets.points import Modes
from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.histogram_divergences import kl_divergence, shares

STACKED_MODES = 1_000  # classes of stacked MNIST
SMOOTHING_COUNT = 0.5  # added to real counts, so that a class of samples alone has a finite cost


class MixtureModes(FeatureMetric):
    """Srivastava et al. 2017 (VEEGAN), section 4.1; Lin et al. 2018 (PacGAN), section 4.1. For mixtures alone.

    A sample is of high quality if it lies within three standard deviations of the nearest centre; a mode is found if
    any such sample is nearest to it. Both papers take 2,500 samples.

    `modes`: number found; `high_quality`: share of samples, 0.989 for real points in two dimensions.
    """

    uses_split = False
    numbers = ("modes", "high_quality")
    higher_is_better = True

    def __init__(self, deviations: Positive = 3.0) -> None:  # radius of high quality, in standard deviations
        super().__init__()
        self.deviations = deviations

    @property
    def settings(self) -> str:
        return f"within {self.deviations:g} standard deviations"

    def compute(self, reference: Reference) -> dict[str, float]:
        if reference.modes is None:
            return {}
        nearest, distance = nearest_modes(self.features, reference.modes)
        good = distance < self.deviations * reference.modes.std  # false for nan
        return {"modes": float(len(nearest[good].unique())), "high_quality": good.sum().item() / len(good)}


class ClassModes(FeatureMetric):
    """Srivastava et al. 2017 (VEEGAN), section 4.2; Lin et al. 2018 (PacGAN), section 4.2: stacked MNIST.

    `modes`: how many of 1,000 the classifier finds among the samples, 26,000 in both papers; `reverse_kl`: from their
    shares to 1/1000 each, in nats. As many real images have 1,000 and about 0.02.
    """

    uses_split = False
    numbers = ("modes", "reverse_kl")
    opposite = frozenset({"reverse_kl"})
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the scores; nan if any sample is not finite, none for an extractor without classes."""
        predicted = reference.extractor.labels(self.features)
        if predicted is None:
            return {}
        if not self.finite:
            return {"modes": math.nan, "reverse_kl": math.nan}
        counts = torch.bincount(predicted.cpu(), minlength=STACKED_MODES).double()
        uniform = torch.full_like(counts, 1 / STACKED_MODES)
        return {"modes": float(counts.count_nonzero()), "reverse_kl": kl_divergence(shares(counts), uniform)}


class ClassCoverage(FeatureMetric):
    """`classes`: how many of the real images' classes samples show; `class_kl`: KL(samples | real) in nats.

    The extractor's classifier tells the samples' classes, labels the real ones. Half an image is added to each real
    count. Lower KL is better. No number for extractors without classes, or data without labels.
    """

    numbers = ("classes", "class_kl")
    scattered_by_few = True
    opposite = frozenset({"class_kl"})
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the scores; nan if any sample is not finite."""
        predicted, labels = reference.extractor.labels(self.features), reference.classes
        if predicted is None or labels is None:
            return {}
        if not self.finite:
            return {"classes": math.nan, "class_kl": math.nan}
        fake, real = (torch.bincount(part.cpu()) for part in (predicted, labels[labels >= 0]))
        fake, real = (pad(part, (0, max(len(fake), len(real)) - len(part))) for part in (fake, real))
        found = ((fake > 0) & (real > 0)).sum().item()
        return {"classes": float(found), "class_kl": kl_divergence(shares(fake), shares(real, SMOOTHING_COUNT))}


def nearest_modes(points: Tensor, modes: Modes) -> tuple[Tensor, Tensor]:
    """Return index [N] and distance [N] of the centre nearest to each point [N, D], by differences: exact near 0."""
    centres = modes.centres.to(points.device)
    distance = (points.unsqueeze(1) - centres).norm(dim=2)
    return distance.argmin(1), distance.amin(1)
