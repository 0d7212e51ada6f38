"""Sliced Wasserstein distance between patches of generated and of real images, at several sizes."""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from genlab.core.pixels import to_float
from genlab.core.random import generator
from genlab.core.types import Amount
from genlab.metrics.metric import ImageMetric
from genlab.metrics.references.reference import Reference

KERNEL = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16  # of the pyramid's blur, of rows and of columns
PATCH = 7  # pixels a side
MIN_SIDE = 16  # pixels, of the smallest level
SCALE = 1e3  # the paper's tables, and its code, give thousandths
DIRECTIONS_AT_ONCE = 16  # with 2,000 images' patches 33 MB for each of both sets
IMAGES_AT_ONCE = 500  # whose pyramids are made together


class SlicedWasserstein(ImageMetric):
    """Karras et al. 2018 (progressive growing), section 5: `swd` in thousandths, the mean over levels; lower is better.

    `swd_SIDE` is the distance of one level of the Laplacian pyramid, whose sides halve down to 16 pixels; images of 28
    pixels have one level, the image itself. Patches of 7 x 7 are standardised to mean 0 and deviation 1 in each
    channel, real and generated ones apart, so that contrast and tint do not count. The distance is the mean over
    directions of the 1-D distance of projections. Needs no network. Few images bias it upwards: compare equal numbers.
    """

    min_side = MIN_SIDE
    numbers = ("swd*",)
    scattered_by_few = True

    def __init__(
        self,
        images: Amount = 2_000,  # of each kind; the paper: 16,384
        *,
        patches: Amount = 128,  # an image
        directions: Amount = 512,  # the code: 4 times 128
    ) -> None:
        super().__init__(images)
        self.patches, self.directions = patches, directions
        self._measured = ""

    @property
    def settings(self) -> str:
        return (
            f"x 1,000; {self.patches} patches an image, {PATCH} x {PATCH}; {self.directions} directions{self._measured}"
        )

    def compute(self, reference: Reference) -> dict[str, float]:
        fake = self.images
        count, sides = min(len(fake), reference.count), level_sides(min(fake.shape[2:]))
        self._measured = f"; {count:,} images of each kind; levels of {', '.join(map(str, sides))} pixels"
        names = ["swd", *(f"swd_{side}" for side in sides)]
        if not self.finite:
            return dict.fromkeys(names, math.nan)
        real = reference.draw_images(count, self.seed).images.to(fake.device)
        found = [self.distance(real, fake[:count], level, len(sides)) for level in range(len(sides))]
        return dict(zip(names, [sum(found) / len(found), *found], strict=True))

    def distance(self, real: Tensor, fake: Tensor, level: int, total: int) -> float:
        sets = []
        for kind, images in {"real": real, "fake": fake}.items():
            source = generator(self.seed, "patches", kind, level)
            corners = torch.rand(len(images), self.patches, 2, generator=source).to(images.device)
            pieces = zip(images.split(IMAGES_AT_ONCE), corners.split(IMAGES_AT_ONCE), strict=True)
            cut = [cut_patches(laplacian_pyramid(to_float(part), total)[level], at) for part, at in pieces]
            sets.append(standardise(torch.cat(cut)))
        directions = torch.randn(self.directions, sets[0].shape[1], generator=generator(self.seed, "directions", level))
        return SCALE * sliced_wasserstein(*sets, directions.to(real.device))


def level_sides(side: int) -> list[int]:
    """Return the pixels of the smaller side at every level."""
    found = [side]
    while (side := -(-side // 2)) >= MIN_SIDE:
        found.append(side)
    return found


def laplacian_pyramid(images: Tensor, levels: int) -> list[Tensor]:
    """Return what each size of [N, C, H, W] adds to the next smaller one, largest first; last, the smallest image.

    Burt and Adelson 1983, with the borders that Karras et al. 2018 give them.
    """
    pyramid = [images]
    for _ in range(1, levels):
        small = blur(pyramid[-1])[..., ::2, ::2]
        pyramid[-1] = pyramid[-1] - upsample(small, pyramid[-1].shape[2:])
        pyramid.append(small)
    return pyramid


def upsample(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge to `size`, twice the side or one pixel less."""
    wide = images.new_zeros(*images.shape[:2], *size)
    wide[..., ::2, ::2] = images
    return 4 * blur(wide)  # a quarter of the pixels are not 0


def blur(images: Tensor) -> Tensor:
    """Blur images, mirrored about the pixels at the border."""
    count, channels, height, width = images.shape
    kernel = KERNEL.to(images)
    planes = pad(images.reshape(count * channels, 1, height, width), [2, 2, 2, 2], mode="reflect")
    return conv2d(conv2d(planes, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1)).view_as(images)


def cut_patches(images: Tensor, corners: Tensor) -> Tensor:
    """Cut patches [N P, C, 7 x 7] from [N, C, H, W] at corners [N, P, 2], in [0, 1) of the range of valid corners."""
    count, channels, height, width = images.shape
    places = corners.new_tensor([height - PATCH + 1, width - PATCH + 1])
    rows, columns = (corners * places).long().unbind(2)
    inside = torch.arange(PATCH, device=images.device)
    flat = (rows[..., None, None] + inside[:, None]) * width + columns[..., None, None] + inside
    flat = flat.view(count, 1, -1).expand(-1, channels, -1)  # [N, C, P x 7 x 7]
    found = images.flatten(2).gather(2, flat).view(count, channels, corners.shape[1], PATCH * PATCH)
    return found.transpose(1, 2).flatten(0, 1)


def standardise(patches: Tensor) -> Tensor:
    """Standardise [M, C, K] to mean 0 and deviation 1 over each channel, 0 if it is constant, as [M, C K]."""
    mean = patches.mean(dim=(0, 2), keepdim=True)
    deviation = (patches - mean).square().mean(dim=(0, 2), keepdim=True).sqrt()
    return ((patches - mean) / deviation.clamp(min=1e-6)).flatten(1)


def sliced_wasserstein(a: Tensor, b: Tensor, directions: Tensor) -> float:
    """Return the mean 1-D distance of projections of rows [M, D] and [M, D] on directions [K, D], of any length."""
    total = 0.0
    for unit in torch.nn.functional.normalize(directions, dim=1).split(DIRECTIONS_AT_ONCE):
        sorted_a, sorted_b = ((unit @ rows.T).sort(dim=1).values for rows in (a, b))
        total += (sorted_a - sorted_b).abs().mean(1).sum().item()
    return total / len(directions)
