"""Histograms of pixel values, generated and real."""

import logging
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from genlab.core.pixels import to_uint8
from genlab.core.types import Amount
from genlab.data.blank_dataset import Blank
from genlab.pictures.scatter import GENERATED, REAL
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Picture, Request

WIDTH, HEIGHT, MARGIN = 520, 240, 48  # pixels of a panel and around it
DECADES = 6  # range of the logarithmic scale: from 1 down to a millionth
TEXT_COLOUR, LINE_COLOUR = (90, 90, 90), (225, 225, 225)
Colour = tuple[int, int, int]
log = logging.getLogger(__name__)


class Histogram(Picture):
    """Draw the shares of pixel values 0 to 255 on a logarithmic scale, with a panel for each channel.

    A red line shows generated images, blue bars as many real ones (test images, else training images) where the data
    are available. Logs the total variation distance of the two: 0 if they are alike, 1 if they share no value.
    """

    real: ClassVar[bool | None] = None

    def __init__(self, *, count: Amount = 1_000, bins: Amount = 64) -> None:  # count: images
        self.count, self.bins = count, bins

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        made = sum(
            value_counts(to_uint8(images), self.bins) for images, _ in loaded.batches(self.count, **request.options)
        )
        sets = [(made / made.sum(1, keepdim=True), GENERATED)]
        data = loaded.run.data
        if not isinstance(data, Blank):
            there = value_counts(loaded.spec.crop((data.test or data.train).images[: self.count]), self.bins)
            sets.insert(0, (there / there.sum(1, keepdim=True), REAL))
            apart = (sets[0][0] - sets[1][0]).abs().sum(1) / 2
            log.info("total variation distance: %s", ", ".join(f"{value:.3f}" for value in apart.tolist()))
        return draw_panels(sets)


def value_counts(images: Tensor, bins: int) -> Tensor:
    """Count the values of images uint8 [N, C, H, W]: float64 [C, bins]."""
    channels = images.cpu().movedim(1, 0).flatten(1).long() * bins // 256
    return torch.stack([channel.bincount(minlength=bins) for channel in channels]).double()


def draw_panels(sets: list[tuple[Tensor, Colour]]) -> Tensor:
    """Draw shares [C, bins] in their colours as uint8 [3, H, W]: the last set is a line, the others are bars."""
    from PIL import Image, ImageDraw

    channels = len(sets[0][0])
    picture = Image.new("RGB", (WIDTH + 2 * MARGIN, channels * (HEIGHT + MARGIN) + MARGIN), "white")
    pen = ImageDraw.Draw(picture)
    for channel in range(channels):
        top = MARGIN // 2 + channel * (HEIGHT + MARGIN)
        draw_axes(pen, top)
        *bars, (line, colour) = [(log_heights(shares[channel]), colour) for shares, colour in sets]
        for values, ink in bars:
            draw_bars(pen, top, values, ink)
        pen.line(outline(top, line), fill=colour, width=2)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def log_heights(shares: Tensor) -> list[float]:
    """Return heights in [0, 1] on the logarithmic scale."""
    return (1 + shares.clamp(min=10.0**-DECADES).log10() / DECADES).tolist()


def draw_axes(pen, top: int) -> None:
    for decade in range(DECADES + 1):
        y = top + HEIGHT * decade // DECADES
        pen.line([(MARGIN, y), (MARGIN + WIDTH, y)], fill=LINE_COLOUR)
        pen.text((MARGIN - 6, y), f"{10.0**-decade:g}", fill=TEXT_COLOUR, anchor="rm")
    for value in (0, 64, 128, 192, 255):
        pen.text((MARGIN + WIDTH * value / 255, top + HEIGHT + 4), str(value), fill=TEXT_COLOUR, anchor="mt")


def draw_bars(pen, top: int, values: list[float], colour: Colour) -> None:
    wide = WIDTH / len(values)
    for index, value in enumerate(values):
        if value > 0:
            left = MARGIN + index * wide
            pen.rectangle([left, top + HEIGHT * (1 - value), left + wide - 1, top + HEIGHT], fill=colour)


def outline(top: int, values: list[float]) -> list[tuple[float, float]]:
    """Return the corners of the outline around bars, in pixels."""
    wide = WIDTH / len(values)
    corners = [(index + side, value) for index, value in enumerate(values) for side in (0, 1)]
    return [(MARGIN + column * wide, top + HEIGHT * (1 - value)) for column, value in corners]
