"""Which modes of the data a generator finds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import pad

from genlab.core.types import Positive
from genlab.metrics.metric import Gathering
from genlab.metrics.scores.histogram_divergences import kl_divergence, shares

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.data.sets.points import Modes
    from genlab.metrics.references.reference import Reference

MODES = 1_000  # of stacked MNIST
UNSEEN = 0.5  # added to the real counts: a class that only the samples show costs much, not infinitely much


class MixtureModes(Gathering):
    """Srivastava et al. 2017 (VEEGAN), section 4.1; Lin et al. 2018 (PacGAN), section 4.1. Of mixtures alone.

    A sample is of high quality if it lies within three standard deviations of the nearest centre; a mode is found if
    any such sample is nearest to it. Both papers look at 2,500 samples.

    `modes`: number found; `high_quality`: share of samples. Of the real points 0.989 are, in two dimensions.
    """

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


class ClassModes(Gathering):
    """Srivastava et al. 2017 (VEEGAN), section 4.2; Lin et al. 2018 (PacGAN), section 4.2: stacked MNIST.

    `modes`: how many of 1,000 the classifier sees among the samples, 26,000 in both papers; `reverse_kl`: from their
    shares to 1/1000 each, in nats. Samples of real images have 1,000 and about 0.02, for their number is finite.
    """

    numbers = ("modes", "reverse_kl")
    opposite = frozenset({"reverse_kl"})
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite; nothing for an extractor without classes."""
        seen = reference.extractor.labels(self.features)
        if seen is None:
            return {}
        if not self.finite:
            return {"modes": math.nan, "reverse_kl": math.nan}
        counts = torch.bincount(seen.cpu(), minlength=MODES).double()
        uniform = torch.full_like(counts, 1 / MODES)
        return {"modes": float(counts.count_nonzero()), "reverse_kl": kl_divergence(shares(counts), uniform)}


class ClassCoverage(Gathering):
    """`classes`: how many of the real images' classes are seen among the samples; `class_kl`: KL(samples | real).

    The samples' classes are what the extractor's classifier sees, the real ones the labels; in nats, lower is better.
    To the real counts it adds half an image. Nothing for extractors that know no classes, or data without labels.
    """

    numbers = ("classes", "class_kl")
    opposite = frozenset({"class_kl"})
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite."""
        seen, labels = reference.extractor.labels(self.features), reference.split.labels
        if seen is None or labels is None or labels.ndim > 1:
            return {}
        if not self.finite:
            return {"classes": math.nan, "class_kl": math.nan}
        fake, real = (torch.bincount(part.cpu()) for part in (seen, labels[labels >= 0]))
        fake, real = (pad(part, (0, max(len(fake), len(real)) - len(part))) for part in (fake, real))
        found = ((fake > 0) & (real > 0)).sum().item()
        return {"classes": float(found), "class_kl": kl_divergence(shares(fake), shares(real, UNSEEN))}


def nearest_modes(points: Tensor, modes: Modes) -> tuple[Tensor, Tensor]:
    """Of points [N, D] the nearest centre's index [N] and distance [N], by differences: exact near a centre."""
    centres = modes.centres.to(points.device)
    distance = (points.unsqueeze(1) - centres).norm(dim=2)
    return distance.argmin(1), distance.amin(1)
