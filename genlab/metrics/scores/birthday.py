"""Birthday test: how many different images can a generator make?"""

import math

import torch
from torch import Tensor

from genlab.core.types import Several
from genlab.metrics.metric import IllustratedMetric
from genlab.metrics.references.reference import Reference

PAIRS_SHOWN = 16  # closest ones


class Birthday(IllustratedMetric):
    """`birthday_support`: how many different images there are, by the birthday paradox; `birthday_collisions`: equal
    pairs a batch.

    Arora and Zhang 2018: s images drawn from N have s (s - 1) / 2N equal pairs. The paper lets people judge the closest
    pairs; these are shown, nearest first, beside those of real images. Here a pair counts as equal if it is as near as
    the closest pair of as many real images (the median over batches), which differ by construction. So the support
    saturates at the real images' own, s (s - 1) / (2 log 2), which is 180,000 for 500.
    """

    numbers = ("birthday_support", "birthday_collisions")
    opposite = frozenset({"birthday_collisions"})
    higher_is_better = True
    needs_features = True
    settings_to_lower = "batch"

    def __init__(self, batch: Several = 500) -> None:  # images that are compared with each other
        super().__init__()
        self.batch = batch
        self.min_images = batch

    @property
    def settings(self) -> str:
        return f"batches of {self.batch:,}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the scores; nan if any sample is not finite."""
        if not self.finite:
            return {"birthday_support": math.nan, "birthday_collisions": math.nan}
        real, fake = (whole_batches(part.cpu(), self.batch) for part in (reference.features, self.features))
        limit = torch.stack([torch.pdist(batch).amin() for batch in real]).median()
        equal = sum((torch.pdist(batch) <= limit).sum().item() for batch in fake)
        pairs = len(fake) * self.batch * (self.batch - 1) / 2
        return {"birthday_support": pairs / max(equal, 1), "birthday_collisions": equal / len(fake)}

    def pictures(self, reference: Reference) -> dict[str, Tensor]:
        """Return the closest pairs within batches, of samples and of real images."""
        if not self.has_pictures(reference):
            return {}
        features, spec = (self.features.cpu(), reference.features), reference.data.spec
        fake, real = (closest_pairs(whole_batches(part, self.batch), PAIRS_SHOWN) for part in features)
        pairs = self.source.regenerate(fake.flatten().tolist(), spec)
        return {
            "closest pairs": pairs.unflatten(0, (-1, 2)),
            "closest pairs of real images": spec.crop(reference.split.images[real.flatten()]).unflatten(0, (-1, 2)),
        }


def whole_batches(features: Tensor, size: int) -> list[Tensor]:
    """Split [N, D] into batches [size, D], without an incomplete last one."""
    return list(features[: len(features) // size * size].split(size))


def closest_pairs(batches: list[Tensor], count: int) -> Tensor:
    """Return rows [count, 2] in the joined batches of the closest pairs within batches [size, D], nearest first."""
    size = len(batches[0])
    corners = torch.triu_indices(size, size, 1).T
    closest = [torch.pdist(batch).topk(min(count, len(corners)), largest=False) for batch in batches]
    rows = torch.cat([corners[index] + number * size for number, (_, index) in enumerate(closest)])
    return rows[torch.cat([distance for distance, _ in closest]).argsort(stable=True)[:count]]
