"""The Frechet distance within each class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.metrics.metric import Gathering
from genlab.metrics.references.frechet import Moments, frechet_distance

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.trained_model import Trained


class IntraFID(Gathering):
    """`intra_fid`: mean over classes of FID between samples asked to show the class and its real images.

    Miyato and Koyama 2018 (cGANs with projection discriminator). Lower is better; what FID does not see,
    a class that shows another one, or that has collapsed, costs much. A class has few images: the bias is large, so
    compare equal numbers alone. Nothing for models that take no classes, or data without.
    """

    numbers = ("intra_fid",)
    biased_by_few = True
    needs_features = True

    def lacks(self, images: int, reference: Reference, trained: Trained | None) -> str | None:
        """A class below two images of either kind."""
        asked = None if trained is None else trained.sample_conditions(0, images)
        if not named(asked) or not named(reference.split.labels):
            return None
        classes = reference.data.spec.classes
        fake, real = (counts(labels, classes) for labels in (asked.cpu(), reference.split.labels))
        few = ((fake > 0) & (torch.minimum(fake, real) < 2)).nonzero().flatten().tolist()
        if not few:
            return None
        return (
            f"class {few[0]} would have {fake[few[0]]} samples and {real[few[0]]} real images: expected 2 or more of "
            "either kind; raise metrics.images, or compare with a larger metrics.split"
        )

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite."""
        asked, labels = self.condition, reference.split.labels
        if not named(asked) or not named(labels):
            return {}
        if not self.finite:
            return {"intra_fid": math.nan}
        asked, fake = asked.cpu(), self.features.cpu()
        found = [between(reference.features[labels == name], fake[asked == name]) for name in asked.unique().tolist()]
        return {"intra_fid": sum(found) / len(found)}


def named(labels: Tensor | None) -> bool:
    """Are there classes?"""
    return labels is not None and labels.ndim == 1


def counts(labels: Tensor, classes: int) -> Tensor:
    """Images of each class; those without a label left out."""
    return torch.bincount(labels[labels >= 0], minlength=classes)


def between(real: Tensor, fake: Tensor) -> float:
    """FID of features [N, D] and [M, D]."""
    moments = Moments(), Moments()
    for part, features in zip(moments, (fake, real), strict=True):
        part.update(features)
    return frechet_distance(*moments)
