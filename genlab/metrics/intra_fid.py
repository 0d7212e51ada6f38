"""The Frechet distance within each class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor

from genlab.errors import ConfigError
from genlab.metrics.frechet import Moments, frechet_distance
from genlab.metrics.metric import Gathering

if TYPE_CHECKING:
    from genlab.metrics.reference import Reference


class IntraFID(Gathering):
    """`intra_fid`: mean over classes of FID between samples asked to show the class and its real images.

    Miyato and Koyama 2018 (cGANs with projection discriminator). Lower is better; what FID does not see,
    a class that shows another one, or that has collapsed, costs much. A class has few images: the bias is large, so
    compare equal numbers alone. Nothing for models that take no classes, or data without.
    """

    needs_features = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite. Raises ConfigError for a class below two images."""
        asked, labels = self.condition, reference.split.labels
        if asked is None or asked.ndim > 1 or labels is None or labels.ndim > 1:
            return {}
        if not self.finite:
            return {"intra_fid": math.nan}
        asked, fake = asked.cpu(), self.features.cpu()
        found = [
            of_class(name, reference.features[labels == name], fake[asked == name]) for name in asked.unique().tolist()
        ]
        return {"intra_fid": sum(found) / len(found)}


def of_class(name: int, real: Tensor, fake: Tensor) -> float:
    """FID between features [N, D] and [M, D] of one class."""
    if min(len(real), len(fake)) < 2:
        raise ConfigError(
            f"intra_fid: class {name} has {len(fake)} generated and {len(real)} real images: expected 2 or more of "
            "either kind; raise metrics.images, or compare with metrics.split=train."
        )
    moments = Moments(), Moments()
    for part, features in zip(moments, (fake, real), strict=True):
        part.update(features)
    return frechet_distance(*moments)
