"""DiffAugment: random colour, shift and cutout of every image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import NonNegative, Share
from genlab.data.augment.augmentation import Augmentation
from genlab.data.augment.shift import shift_images

Policy = Literal["color", "translation", "cutout"]


class Chances(NamedTuple):
    """Random numbers that decide the changes of each image, uniform in [0, 1), [N, 1, 1, 1] each."""

    brightness: Tensor
    saturation: Tensor
    contrast: Tensor
    down: Tensor
    right: Tensor
    row: Tensor
    column: Tensor


@dataclass
class DiffAugment(Augmentation):
    """Change every image, real or generated: Zhao et al. 2020, section 3, with the paper's ranges.

    Colour leaves a fourth channel, alpha, alone; saturation does not change grey images. Pixels shifted in from
    outside and pixels cut out are 0, the middle of [-1, 1].
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
        # One draw serves all changes: each draw costs a generator and a kernel launch.
        chances = Chances(*draws.uniform("diffaugment", len(Chances._fields), 1, 1, 1).unbind(1))
        steps = {"color": self.jitter_colour, "translation": self.translate, "cutout": self.cut}
        for name in self.policy:
            images = steps[name](images, chances)
        return images

    def jitter_colour(self, images: Tensor, chances: Chances) -> Tensor:
        colour, alpha = images[:, :3], images[:, 3:]
        colour = colour + uniform_around(0, self.brightness, chances.brightness)
        if colour.shape[1] > 1:
            colour = scale_from_mean(colour, (1,), uniform_around(1, self.saturation, chances.saturation))
        colour = scale_from_mean(colour, (1, 2, 3), uniform_around(1, self.contrast, chances.contrast))
        return torch.cat([colour, alpha], 1) if alpha.shape[1] else colour

    def translate(self, images: Tensor, chances: Chances) -> Tensor:
        height, width = images.shape[2:]
        down = whole_shifts(chances.down, height, self.translation)
        right = whole_shifts(chances.right, width, self.translation)
        return shift_images(images, down, right)

    def cut(self, images: Tensor, chances: Chances) -> Tensor:
        height, width = images.shape[2:]
        rows, columns = hole_mask(chances.row, height, self.cutout), hole_mask(chances.column, width, self.cutout)
        kept = ~(rows.unsqueeze(2) & columns.unsqueeze(1))
        return images * kept.unsqueeze(1).to(images.dtype)


def uniform_around(middle: float, reach: float, chance: Tensor) -> Tensor:
    """Map a number uniform in [0, 1) to one uniform in [middle - reach, middle + reach)."""
    return middle + reach * (2 * chance - 1)


def scale_from_mean(images: Tensor, axes: tuple[int, ...], factor: Tensor) -> Tensor:
    """Scale distances from the mean over `axes` by `factor`."""
    mean = images.mean(axes, keepdim=True)
    return mean + (images - mean) * factor


def whole_shifts(chance: Tensor, side: int, share: float) -> Tensor:
    """Return shifts [N] in whole pixels, each equally likely, at most `share` of the side."""
    reach = round_half_up(side * share)
    return (chance.flatten() * (2 * reach + 1)).floor().long() - reach


def hole_mask(chance: Tensor, side: int, share: float) -> Tensor:
    """Return a mask [N, side] of a hole whose middle is anywhere; its part beyond the image is dropped."""
    size = round_half_up(side * share)
    middles = side + 1 - size % 2  # an even hole's middle lies between two pixels, or at either end
    first = (chance.view(-1, 1) * middles).floor() - size // 2
    place = torch.arange(side, device=chance.device)
    return (place >= first) & (place < first + size)


def round_half_up(value: float) -> int:
    return int(value + 0.5)
