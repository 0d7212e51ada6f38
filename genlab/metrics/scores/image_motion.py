"""Images moved as the continuous signals that their pixels are samples of: Karras et al. 2021 (StyleGAN3), appendix E.

A move has a `transform`, from a place in the moved image to the one that is shown there, in homogeneous coordinates
(right, down, 1) from the centre, in sides of the image; `compared` gives what is known of two images that should agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import conv2d, grid_sample

REACH = 3  # pixels: `a`, half the width of Lanczos' window
FINER = 4  # samples a pixel, between which a straight line is good enough
PERIOD = 64  # pixels after which filters that are made in the frequency domain repeat


class Move(Protocol):
    def transform(self, side: int) -> Tensor:
        """[3, 3], for images of that many pixels a side."""

    def compared(self, plain: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
        """Images [N, C, S, S] -> `plain`, moved, and `moved`: the same of both, where no pixel was made up."""


@dataclass(frozen=True)
class Translation:
    """By pixels, whole or not; between them Lanczos' filter: appendix E.1 and E.2."""

    right: float
    down: float

    def transform(self, side: int) -> Tensor:
        matrix = torch.eye(3)
        matrix[:2, 2] = torch.tensor([-self.right / side, -self.down / side])
        return matrix

    def compared(self, plain: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
        channels, side = plain.shape[1], plain.shape[-1]
        down, right = lanczos(self.down), lanczos(self.right)
        kernel = torch.outer(down, right).to(plain).expand(channels, 1, -1, -1)
        rows, columns = shared(self.down, len(down), side), shared(self.right, len(right), side)
        here = conv2d(plain, kernel, groups=channels)[..., rows[0], columns[0]]
        return here, moved[..., rows[1], columns[1]]


def lanczos(offset: float) -> Tensor:
    """The filter [taps] that moves by what `offset` is beyond a whole number; of sum 1; correlated, as in conv2d."""
    beyond = offset - math.floor(offset)
    if not beyond:
        return torch.ones(1)
    place = REACH - torch.arange(2.0 * REACH) - beyond
    kernel = torch.sinc(place) * torch.sinc(place / REACH)
    return kernel / kernel.sum()


def shared(offset: float, taps: int, side: int) -> tuple[slice, slice]:
    """Where a filtered and moved line of pixels lies within the image: as its own samples, and as the image's."""
    first, count = math.floor(offset) + taps // 2, side - taps + 1
    start, stop = max(0, first), min(side, first + count)
    return slice(start - first, stop - first), slice(start, stop)


@dataclass(frozen=True)
class Rotation:
    """Counter-clockwise about the centre: appendix E.3.

    Pixels hold a square of frequencies, a rotated image a rotated square: both images keep what lies in both.
    """

    angle: float  # radians

    @property
    def matrix(self) -> Tensor:
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return torch.tensor([[cosine, -sine], [sine, cosine]])

    @property
    def reach(self) -> float:
        """Of the filters, in pixels."""
        return REACH * (1 + abs(math.cos(self.angle)) + abs(math.sin(self.angle)))

    def transform(self, side: int) -> Tensor:
        return torch.block_diag(self.matrix, torch.ones(1, 1))

    def compared(self, plain: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
        line = torch.arange(plain.shape[-1]) - (plain.shape[-1] - 1) / 2
        shown = torch.cartesian_prod(line, line).flip(1)  # (right, down), row by row
        read = shown @ self.matrix.T
        inside = torch.maximum(shown.abs(), read.abs()).amax(1) <= line[-1] - self.reach
        here, there = self.rotated(plain, read / line[-1]), self.limited(moved)
        return tuple(images.flatten(2)[..., inside.to(images.device)] for images in (here, there))

    def rotated(self, images: Tensor, places: Tensor) -> Tensor:
        """Read at places [S * S, 2], -1 and 1 being the centres of the outermost pixels."""
        count, channels, side, _ = images.shape
        finer = images.new_zeros(count, channels, *[(side - 1) * FINER + 1] * 2)
        finer[..., ::FINER, ::FINER] = images * FINER**2
        finer = filtered(finer, self.octagon(self.matrix, FINER))
        places = places.to(images).view(1, side, side, 2).expand(count, -1, -1, -1)
        return grid_sample(finer, places, align_corners=True)

    def limited(self, images: Tensor) -> Tensor:
        """Not rotated, but with the frequencies of a rotated image."""
        return filtered(images, self.octagon(self.matrix.T, 1))

    def octagon(self, turn: Tensor, rate: int) -> Tensor:
        """The filter [T, T], T odd, for `rate` samples a pixel, of what lies in the square and in the turned square."""
        count = PERIOD * FINER
        steps = torch.fft.fftfreq(count, dtype=torch.float64)  # 0 comes first
        plane = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), 2)
        turn = turn.double()
        held = torch.minimum(square(plane * FINER), square(plane * FINER @ turn))
        kernel = torch.fft.ifft2(held).real
        boxes = (torch.fft.fft2(window(places)) for places in (plane * PERIOD, plane * PERIOD @ turn))
        kernel = kernel * torch.fft.ifft2(next(boxes) * next(boxes)).real
        taps = math.ceil(self.reach * rate)
        chosen = torch.arange(-taps, taps + 1) * (FINER // rate) % count
        kernel = kernel[chosen][:, chosen]
        return (kernel / kernel.sum()).float()


def filtered(images: Tensor, kernel: Tensor) -> Tensor:
    """[N, C, H, W], the same size, convolved with [T, T], zeros outside; T is odd. By FFT: these filters are large."""
    sizes = [size + len(kernel) - 1 for size in images.shape[2:]]
    spectrum = torch.fft.rfft2(images, s=sizes) * torch.fft.rfft2(kernel.to(images), s=sizes)
    rows, columns = (slice(len(kernel) // 2, len(kernel) // 2 + size) for size in images.shape[2:])
    return torch.fft.irfft2(spectrum, s=sizes)[..., rows, columns]


def square(frequencies: Tensor) -> Tensor:
    """[..., 2], in cycles a pixel -> 1 for what pixels hold; at the edge, the share of a cell that lies inside."""
    return ((0.5 - frequencies.abs()) * PERIOD + 0.5).clamp(0, 1).prod(-1)


def window(places: Tensor) -> Tensor:
    """[..., 2], in pixels -> Lanczos' window: equation 33."""
    return (torch.sinc(places / REACH) * (places.abs() < REACH)).prod(-1)
