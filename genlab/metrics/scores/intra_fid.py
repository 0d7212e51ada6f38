"""Intra-FID: the Frechet distance within each class."""

import math

import torch
from torch import Tensor

from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.frechet import Moments, frechet_distance
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel


class IntraFID(FeatureMetric):
    """`intra_fid`: mean over classes of the FID between samples asked to show the class and its real images.

    Miyato and Koyama 2018 (cGANs with projection discriminator). Lower is better. A class that shows another one, or
    has collapsed, costs much, though FID does not see it. A class has few images, so the bias is large: compare equal
    numbers alone. No number for models or data without classes.
    """

    numbers = ("intra_fid",)
    biased_by_few = True
    needs_features = True

    def too_few_reason(self, images: int, reference: Reference, trained: TrainedModel | None) -> str | None:
        """Return which class would have fewer than two samples or real images."""
        spec, real = reference.data.spec, reference.classes
        asked = None if trained is None else spec.classes_of(trained.sample_conditions(0, images))
        if asked is None or real is None or spec.class_count is None:
            return None
        fake, real = (torch.bincount(labels[labels >= 0], minlength=spec.class_count) for labels in (asked.cpu(), real))
        few = ((fake > 0) & (torch.minimum(fake, real) < 2)).nonzero().flatten().tolist()
        if not few:
            return None
        name = spec.class_names[few[0]] if spec.class_names else few[0]
        return (
            f"class {name} would have {fake[few[0]]} samples and {real[few[0]]} real images: expected 2 or more of "
            "either kind; raise metrics.images, or compare with a larger metrics.split"
        )

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the mean over classes; nan if any sample is not finite."""
        asked, labels = reference.data.spec.classes_of(self.condition), reference.classes
        if asked is None or labels is None:
            return {}
        if not self.finite:
            return {"intra_fid": math.nan}
        asked, fake = asked.cpu(), self.features.cpu()
        found = [class_fid(reference.features[labels == name], fake[asked == name]) for name in asked.unique().tolist()]
        return {"intra_fid": sum(found) / len(found)}


def class_fid(real: Tensor, fake: Tensor) -> float:
    """Return the FID of features [N, D] and [M, D]."""
    moments = Moments(), Moments()
    for part, features in zip(moments, (fake, real), strict=True):
        part.update(features)
    return frechet_distance(*moments)
