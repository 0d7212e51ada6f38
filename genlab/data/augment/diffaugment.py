"""Colour, shift and cutout, drawn for each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import NonNegative, Share
from genlab.data.augment.augmentation import Augmentation
from genlab.data.augment.shift import shifted

Policy = Literal["color", "translation", "cutout"]


class Chances(NamedTuple):
    """Uniform in [0, 1), each [N, 1, 1, 1]."""

    brightness: Tensor
    saturation: Tensor
    contrast: Tensor
    down: Tensor
    right: Tensor
    row: Tensor
    column: Tensor


@dataclass
class DiffAugment(Augmentation):
    """Zhao et al. 2020, section 3, with the paper's ranges: the discriminator sees no image unchanged, real or not.

    Colour leaves a fourth channel, alpha, alone; saturation means nothing on grey images. What a shift brings in and
    what is cut out is 0, the middle of [-1, 1].
    """

    policy: Sequence[Policy] = ("color", "translation", "cutout")  # in this order
    brightness: NonNegative = 0.5  # largest shift of all values, up or down
    saturation: Share = 1.0  # largest change of the distance from grey, as a share of it
    contrast: Share = 0.5  # largest change of the distance from the image's mean, as a share of it
    translation: Share = 0.125  # largest shift, as a share of the side
    cutout: Share = 0.5  # side of the hole, as a share of the image's

    needs_images: ClassVar[bool] = True
    moves_images: ClassVar[bool] = True

    def __call__(self, images: Tensor, draws: Draws, progress: float) -> Tensor:
        # One draw serves all: each costs a generator and a launch.
        chances = Chances(*draws.uniform("diffaugment", len(Chances._fields), 1, 1, 1).unbind(1))
        steps = {"color": self.recolour, "translation": self.translate, "cutout": self.cut}
        for name in self.policy:
            images = steps[name](images, chances)
        return images

    def recolour(self, images: Tensor, chances: Chances) -> Tensor:
        colour, alpha = images[:, :3], images[:, 3:]
        colour = colour + around(0, self.brightness, chances.brightness)
        if colour.shape[1] > 1:
            colour = stretched(colour, (1,), around(1, self.saturation, chances.saturation))
        colour = stretched(colour, (1, 2, 3), around(1, self.contrast, chances.contrast))
        return torch.cat([colour, alpha], 1) if alpha.shape[1] else colour

    def translate(self, images: Tensor, chances: Chances) -> Tensor:
        height, width = images.shape[2:]
        down, right = shifts(chances.down, height, self.translation), shifts(chances.right, width, self.translation)
        return shifted(images, down, right)

    def cut(self, images: Tensor, chances: Chances) -> Tensor:
        height, width = images.shape[2:]
        rows, columns = hole(chances.row, height, self.cutout), hole(chances.column, width, self.cutout)
        kept = ~(rows.unsqueeze(2) & columns.unsqueeze(1))
        return images * kept.unsqueeze(1).to(images.dtype)


def around(middle: float, reach: float, chance: Tensor) -> Tensor:
    """Uniform in [middle - reach, middle + reach)."""
    return middle + reach * (2 * chance - 1)


def stretched(images: Tensor, axes: tuple[int, ...], factor: Tensor) -> Tensor:
    """Distances from the mean over some axes, `factor` times as large."""
    mean = images.mean(axes, keepdim=True)
    return mean + (images - mean) * factor


def shifts(chance: Tensor, side: int, share: float) -> Tensor:
    """Shifts [N] of whole pixels, at most `share` of the side, each equally likely."""
    reach = nearest(side * share)
    return (chance.flatten() * (2 * reach + 1)).floor().long() - reach


def hole(chance: Tensor, side: int, share: float) -> Tensor:
    """[N, side]: where a hole lies. Its middle is anywhere, and what sticks out of the image is lost."""
    size = nearest(side * share)
    middles = side + 1 - size % 2  # an even hole's middle lies between two pixels, or at either end
    first = (chance.view(-1, 1) * middles).floor() - size // 2
    place = torch.arange(side, device=chance.device)
    return (place >= first) & (place < first + size)


def nearest(value: float) -> int:
    return int(value + 0.5)
