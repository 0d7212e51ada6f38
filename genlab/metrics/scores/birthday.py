"""How many different images can a generator make?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.core.types import Count
from genlab.metrics.metric import Showing

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference

SHOWN = 16  # pairs


class Birthday(Showing):
    """`birthday_support`: so many different images, by the birthday paradox; `birthday_collisions`: pairs a batch.

    Arora and Zhang 2018: among s images drawn from N there are s (s - 1) / 2N equal pairs. The paper lets people judge
    the closest pairs, which are shown, nearest first, and those of real images as well; here a pair is equal if it is
    as near as the closest pair of as many real images (the median over their batches), which are different by
    construction. So no more can be told than what real images get themselves, s (s - 1) / (2 log 2), 180,000 for 500:
    about there the support is "as many as the eye can tell".
    """

    numbers = ("birthday_support", "birthday_collisions")
    opposite = frozenset({"birthday_collisions"})
    higher_is_better = True
    needs_features = True
    lower = "batch"

    def __init__(self, batch: Count = 500) -> None:  # images that are compared with each other
        super().__init__()
        self.batch = batch
        self.least = max(batch, 2)

    @property
    def settings(self) -> str:
        return f"batches of {self.batch:,}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if the generator made anything that is not finite."""
        if not self.finite:
            return {"birthday_support": math.nan, "birthday_collisions": math.nan}
        real, fake = (whole_batches(part.cpu(), self.batch) for part in (reference.features, self.features))
        limit = torch.stack([torch.pdist(batch).amin() for batch in real]).median()
        equal = sum((torch.pdist(batch) <= limit).sum().item() for batch in fake)
        pairs = len(fake) * self.batch * (self.batch - 1) / 2
        return {"birthday_support": pairs / max(equal, 1), "birthday_collisions": equal / len(fake)}

    def pictures(self, reference: Reference) -> dict[str, Tensor]:
        """The closest pairs within batches, of samples and of real images."""
        if not self.shows(reference):
            return {}
        features, spec = (self.features.cpu(), reference.features), reference.data.spec
        fake, real = (closest_pairs(whole_batches(part, self.batch), SHOWN) for part in features)
        pairs = self.source.again(fake.flatten().tolist(), spec)
        return {
            "closest pairs": pairs.unflatten(0, (-1, 2)),
            "closest pairs of real images": spec.crop(reference.split.images[real.flatten()]).unflatten(0, (-1, 2)),
        }


def whole_batches(features: Tensor, size: int) -> list[Tensor]:
    """[N, D] in batches [size, D]; what is left over is not looked at."""
    return list(features[: len(features) // size * size].split(size))


def closest_pairs(batches: list[Tensor], count: int) -> Tensor:
    """Rows [count, 2] of the closest pairs within batches [size, D], nearest first, as if the batches were joined."""
    size = len(batches[0])
    corners = torch.triu_indices(size, size, 1).T
    least = [torch.pdist(batch).topk(min(count, len(corners)), largest=False) for batch in batches]
    rows = torch.cat([corners[index] + number * size for number, (_, index) in enumerate(least)])
    return rows[torch.cat([distance for distance, _ in least]).argsort(stable=True)[:count]]
