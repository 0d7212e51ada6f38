"""How many different images can a generator make?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.errors import ConfigError
from genlab.metrics.metric import Gathering
from genlab.types import Count

if TYPE_CHECKING:
    from genlab.metrics.reference import Reference


class Birthday(Gathering):
    """`birthday_support`: so many different images, by the birthday paradox; `birthday_collisions`: pairs a batch.

    Arora and Zhang 2018: among s images drawn from N there are s (s - 1) / 2N equal pairs. The paper lets
    people judge the closest pairs; here a pair is equal if it is as near as the closest pair of as many real images
    (the median over their batches), which are different by construction. So no more can be told than what real images
    get themselves, s (s - 1) / (2 log 2), 180,000 for 500: about there the support is "as many as the eye can tell".
    """

    higher_is_better = True
    needs_features = True

    def __init__(self, batch: Count = 500) -> None:  # images that are compared with each other
        super().__init__()
        self.batch = batch

    @property
    def settings(self) -> str:
        return f"batches of {self.batch:,}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite. Raises ConfigError for less than a batch."""
        if not self.finite:
            return {"birthday_support": math.nan, "birthday_collisions": math.nan}
        real, fake = (whole_batches(part.cpu(), self.batch) for part in (reference.features, self.features))
        limit = torch.stack([torch.pdist(batch).amin() for batch in real]).median()
        equal = sum((torch.pdist(batch) <= limit).sum().item() for batch in fake)
        pairs = len(fake) * self.batch * (self.batch - 1) / 2
        return {"birthday_support": pairs / max(equal, 1), "birthday_collisions": equal / len(fake)}


def whole_batches(features: Tensor, size: int) -> list[Tensor]:
    """[N, D] in batches [size, D]; what is left over is not looked at. Raises ConfigError if there is none."""
    if len(features) < max(size, 2):
        raise ConfigError(
            f"birthday test of {len(features)} images: expected a batch of {max(size, 2)} or more of either kind; "
            "raise metrics.images, or lower metrics.metrics.birthday.batch."
        )
    return list(features[: len(features) // size * size].split(size))
