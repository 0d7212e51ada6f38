"""How far patches of generated images are from those of real ones, size by size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.core.pixels import to_float
from genlab.core.random import generator
from genlab.core.types import Count
from genlab.metrics.metric import Looking
from genlab.metrics.scores.laplacian_pyramid import laplacian_pyramid

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.trained_model import Trained

PATCH = 7  # pixels a side
LEAST = 16  # pixels of the smallest level
SCALE = 1e3  # the paper's tables, and its code, give thousandths
AT_ONCE = 16  # directions; of 2,000 images' patches 33 MB a side
PIECE = 500  # images whose pyramids are made together


class SlicedWasserstein(Looking):
    """Karras et al. 2018 (progressive growing), section 5: `swd` in thousandths, the mean over levels; lower is better.

    `swd_SIDE` is that of a level of the Laplacian pyramid, down to 16 pixels, each half of the one before: of 28 pixels
    there is but one, the image itself. From every image come so many patches, 7 x 7; those of a level are given mean 0
    and deviation 1 in each channel, for real and generated ones apart, so that contrast and tint as such do not count.
    Their distance is the mean over directions of the 1-D Wasserstein distance. Needs no network. Few images bias it
    upwards: compare equal numbers alone.
    """

    numbers = ("swd*",)

    def __init__(
        self,
        images: Count = 2_000,  # of each kind; the paper: 16,384
        *,
        patches: Count = 128,  # an image
        directions: Count = 512,  # the code: 4 times 128
    ) -> None:
        super().__init__(images)
        self.patches, self.directions = patches, directions
        self._measured = ""

    @property
    def settings(self) -> str:
        return (
            f"x 1,000; {self.patches} patches an image, {PATCH} x {PATCH}; {self.directions} directions{self._measured}"
        )

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        if reason := super().unfit(reference, trained):
            return reason
        least = min(reference.data.spec.crop(reference.split.images[:1]).shape[2:])
        return None if least >= LEAST else f"its smallest level has {LEAST} pixels a side, and images have {least}"

    def compute(self, reference: Reference) -> dict[str, float]:
        fake = self.images
        count, sides = min(len(fake), reference.count), levels(min(fake.shape[2:]))
        self._measured = f"; {count:,} images of each kind; levels of {', '.join(map(str, sides))} pixels"
        names = ["swd", *(f"swd_{side}" for side in sides)]
        if not self.finite:
            return dict.fromkeys(names, math.nan)
        real = reference.some(count, self.seed).images.to(fake.device)
        found = [self.distance(real, fake[:count], level, len(sides)) for level in range(len(sides))]
        return dict(zip(names, [sum(found) / len(found), *found], strict=True))

    def distance(self, real: Tensor, fake: Tensor, level: int, total: int) -> float:
        sets = []
        for kind, images in {"real": real, "fake": fake}.items():
            source = generator(self.seed, "patches", kind, level)
            corners = torch.rand(len(images), self.patches, 2, generator=source).to(images.device)
            pieces = zip(images.split(PIECE), corners.split(PIECE), strict=True)
            cut = [patches_of(laplacian_pyramid(to_float(part), total)[level], at) for part, at in pieces]
            sets.append(standardised(torch.cat(cut)))
        directions = torch.randn(self.directions, sets[0].shape[1], generator=generator(self.seed, "directions", level))
        return SCALE * sliced_wasserstein(*sets, directions.to(real.device))


def levels(side: int) -> list[int]:
    """Pixels of the smaller side at every level."""
    found = [side]
    while (side := -(-side // 2)) >= LEAST:
        found.append(side)
    return found


def patches_of(images: Tensor, corners: Tensor) -> Tensor:
    """[N, C, H, W], corners [N, P, 2] in [0, 1) of the places that there are -> patches [N P, C, 7 x 7]."""
    count, channels, height, width = images.shape
    places = corners.new_tensor([height - PATCH + 1, width - PATCH + 1])
    rows, columns = (corners * places).long().unbind(2)
    inside = torch.arange(PATCH, device=images.device)
    flat = (rows[..., None, None] + inside[:, None]) * width + columns[..., None, None] + inside
    flat = flat.view(count, 1, -1).expand(-1, channels, -1)  # [N, C, P x 7 x 7]
    found = images.flatten(2).gather(2, flat).view(count, channels, corners.shape[1], PATCH * PATCH)
    return found.transpose(1, 2).flatten(0, 1)


def standardised(patches: Tensor) -> Tensor:
    """[M, C, K] -> [M, C K] with mean 0 and deviation 1 over each channel; one that is constant is 0."""
    mean = patches.mean(dim=(0, 2), keepdim=True)
    deviation = (patches - mean).square().mean(dim=(0, 2), keepdim=True).sqrt()
    return ((patches - mean) / deviation.clamp(min=1e-6)).flatten(1)


def sliced_wasserstein(a: Tensor, b: Tensor, directions: Tensor) -> float:
    """Of rows [M, D] and [M, D]: the mean over directions [K, D], of any length, of the 1-D distance of projections."""
    total = 0.0
    for unit in torch.nn.functional.normalize(directions, dim=1).split(AT_ONCE):
        sorted_a, sorted_b = ((unit @ rows.T).sort(dim=1).values for rows in (a, b))
        total += (sorted_a - sorted_b).abs().mean(1).sum().item()
    return total / len(directions)
