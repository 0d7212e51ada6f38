"""Translate and rotate images as continuous signals that pixels sample: Karras et al. 2021 (StyleGAN3), appendix E.

A move's `transform` maps a place in the moved image to the place of the original that is shown there, in homogeneous
coordinates (right, down, 1) from the centre, in units of the image's side.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import conv2d, grid_sample, pad

LANCZOS_RADIUS = 3  # pixels, half the width of Lanczos' window: the paper's `a`
OVERSAMPLING = 4  # samples a pixel, enough for linear interpolation between them
PERIOD = 64  # pixels: half the width on which filters are convolved, and after which exact ones repeat


class Move(Protocol):
    def transform(self, side: int) -> Tensor:
        """Return the matrix [3, 3] for images of that many pixels a side."""

    def crop_to_overlap(self, plain: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
        """Move `plain`, and return the same part of it and of `moved` ([N, C, S, S]), without pixels from outside."""


@dataclass(frozen=True)
class Translation:
    """Translation by whole pixels, or by fractions with Lanczos' filter: appendix E.1 and E.2."""

    right: float
    down: float

    def transform(self, side: int) -> Tensor:
        matrix = torch.eye(3)
        matrix[:2, 2] = torch.tensor([-self.right / side, -self.down / side])
        return matrix

    def crop_to_overlap(self, plain: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
        channels, side = plain.shape[1], plain.shape[-1]
        down, right = lanczos_filter(self.down), lanczos_filter(self.right)
        kernel = torch.outer(down, right).to(plain).expand(channels, 1, -1, -1)
        rows, columns = overlap_slices(self.down, len(down), side), overlap_slices(self.right, len(right), side)
        here = conv2d(plain, kernel, groups=channels)[..., rows[0], columns[0]]
        return here, moved[..., rows[1], columns[1]]


def lanczos_filter(offset: float) -> Tensor:
    """Return the filter [taps], of sum 1, that moves by the fraction of `offset`; correlated, as in conv2d."""
    beyond = offset - math.floor(offset)
    if not beyond:
        return torch.ones(1)
    place = LANCZOS_RADIUS - torch.arange(2.0 * LANCZOS_RADIUS) - beyond
    kernel = torch.sinc(place) * torch.sinc(place / LANCZOS_RADIUS)
    return kernel / kernel.sum()


def overlap_slices(offset: float, taps: int, side: int) -> tuple[slice, slice]:
    """Return where a filtered and moved line of pixels overlaps the image: slices of the line and of the image."""
    first, count = math.floor(offset) + taps // 2, side - taps + 1
    start, stop = max(0, first), min(side, first + count)
    return slice(start - first, stop - first), slice(start, stop)


@dataclass(frozen=True)
class Rotation:
    """Counter-clockwise rotation about the centre, by the published procedure: appendix E.3 and the authors' code.

    Pixels hold a square of frequencies, a rotated image a rotated square; both are limited to the intersection, by a
    windowed filter of twice Lanczos' radius. The image of a moved input is filtered at one sample a pixel, where the
    rotated square aliases: an image that turns exactly loses decibels by it, which `ExactRotation` does not cost.
    """

    angle: float  # radians

    @property
    def matrix(self) -> Tensor:
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return torch.tensor([[cosine, -sine], [sine, cosine]])

    def transform(self, side: int) -> Tensor:
        return torch.block_diag(self.matrix, torch.ones(1, 1))

    def crop_to_overlap(self, plain: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
        line = torch.arange(plain.shape[-1]) - (plain.shape[-1] - 1) / 2
        pixels = torch.cartesian_prod(line, line).flip(1)  # (right, down), row by row
        sources = pixels @ self.matrix.T
        inside = self.is_inside(pixels, sources, line[-1].item()).to(plain.device)
        here, there = self.rotate(plain, sources / line[-1]), self.limit_band(moved)
        return tuple(images.flatten(2)[..., inside] for images in (here, there))

    def is_inside(self, pixels: Tensor, sources: Tensor, last: float) -> Tensor:
        """Return which pixels [S * S] are made of pixels of the image alone, by the masks of the authors' code."""
        taps = 2 * LANCZOS_RADIUS * OVERSAMPLING - 1
        places = ((sources + last) * OVERSAMPLING).round()
        turned = (places >= taps - 1) & (places <= 2 * last * OVERSAMPLING - taps)
        return (turned & (pixels.abs() <= last - 2 * LANCZOS_RADIUS + 1)).all(1)

    def rotate(self, images: Tensor, places: Tensor) -> Tensor:
        """Sample the images at places [S * S, 2]; -1 and 1 are the centres of the outermost pixels."""
        count, channels, side, _ = images.shape
        finer = images.new_zeros(count, channels, *[(side - 1) * OVERSAMPLING + 1] * 2)
        finer[..., ::OVERSAMPLING, ::OVERSAMPLING] = images * OVERSAMPLING**2
        finer = convolve(finer, self.band_filter(self.matrix, OVERSAMPLING))
        places = places.to(images).view(1, side, side, 2).expand(count, -1, -1, -1)
        return grid_sample(finer, places, align_corners=True)

    def limit_band(self, images: Tensor) -> Tensor:
        """Limit images to the frequencies that a rotated image has."""
        return convolve(images, self.band_filter(self.matrix.T, 1))

    def band_filter(self, turn: Tensor, rate: int) -> Tensor:
        """Return the filter [T, T], T odd, for `rate` samples a pixel: sincs and windows, sampled and convolved.

        Each of its rate^2 phases, which make one sample of an enlarged image, sums to 1 / rate^2.
        """
        half, taps = PERIOD * rate - 1, 2 * LANCZOS_RADIUS * rate - 1
        steps = torch.arange(-half, half + 1, dtype=torch.float64).roll(-half) / rate  # 0 comes first
        plane = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), 2)
        planes = plane, plane @ turn.double()
        kernel = circular_convolution(*(torch.sinc(places).prod(-1) for places in planes))
        kernel = kernel * circular_convolution(*map(lanczos_window, planes))
        kernel = kernel.roll((taps, taps), (0, 1))[: 2 * taps + 1, : 2 * taps + 1]
        phases = pad(kernel, [0, 1, 0, 1]).reshape(4 * LANCZOS_RADIUS, rate, -1, rate)
        phases = phases / phases.sum((0, 2), keepdim=True) / rate**2
        return phases.reshape(4 * LANCZOS_RADIUS * rate, -1)[:-1, :-1].float()


@dataclass(frozen=True)
class ExactRotation(Rotation):
    """The same with filters made in the frequency domain, without aliasing, and kept to their whole length."""

    @property
    def reach(self) -> float:
        """Return the radius of the filters, in pixels."""
        return LANCZOS_RADIUS * (1 + abs(math.cos(self.angle)) + abs(math.sin(self.angle)))

    def is_inside(self, pixels: Tensor, sources: Tensor, last: float) -> Tensor:
        return torch.maximum(pixels.abs(), sources.abs()).amax(1) <= last - self.reach

    def band_filter(self, turn: Tensor, rate: int) -> Tensor:
        """Return the filter [T, T], T odd, for `rate` samples a pixel: the intersection of both squares."""
        count = PERIOD * OVERSAMPLING
        steps = torch.fft.fftfreq(count, dtype=torch.float64)  # 0 comes first
        plane = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), 2)
        turn = turn.double()
        spectrum = torch.minimum(pixel_band(plane * OVERSAMPLING), pixel_band(plane * OVERSAMPLING @ turn))
        windows = (lanczos_window(places) for places in (plane * PERIOD, plane * PERIOD @ turn))
        kernel = torch.fft.ifft2(spectrum).real * circular_convolution(*windows)
        taps = math.ceil(self.reach * rate)
        chosen = torch.arange(-taps, taps + 1) * (OVERSAMPLING // rate) % count
        kernel = kernel[chosen][:, chosen]
        return (kernel / kernel.sum()).float()


def circular_convolution(a: Tensor, b: Tensor) -> Tensor:
    """Convolve two planes [T, T] that repeat."""
    return torch.fft.irfft2(torch.fft.rfft2(a) * torch.fft.rfft2(b), s=a.shape)


def convolve(images: Tensor, kernel: Tensor) -> Tensor:
    """Convolve [N, C, H, W] with [T, T], T odd, zeros outside, at the same size; by FFT, as these filters are large."""
    sizes = [size + len(kernel) - 1 for size in images.shape[2:]]
    spectrum = torch.fft.rfft2(images, s=sizes) * torch.fft.rfft2(kernel.to(images), s=sizes)
    rows, columns = (slice(len(kernel) // 2, len(kernel) // 2 + size) for size in images.shape[2:])
    return torch.fft.irfft2(spectrum, s=sizes)[..., rows, columns]


def pixel_band(frequencies: Tensor) -> Tensor:
    """Return 1 for frequencies [..., 2], in cycles a pixel, that pixels hold; at the edge a cell's share inside."""
    return ((0.5 - frequencies.abs()) * PERIOD + 0.5).clamp(0, 1).prod(-1)


def lanczos_window(places: Tensor) -> Tensor:
    """Return Lanczos' window at places [..., 2], in pixels: equation 33."""
    return (torch.sinc(places / LANCZOS_RADIUS) * (places.abs() < LANCZOS_RADIUS)).prod(-1)
