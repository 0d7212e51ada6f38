"""Histograms as pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

WIDTH, HEIGHT, MARGIN = 520, 240, 48  # pixels of a panel's frame, and around it
DECADES = 6  # of the logarithmic scale: from 1 down to a millionth
GREY, PALE = (90, 90, 90), (225, 225, 225)

Colour = tuple[int, int, int]


def panels(sets: list[tuple[Tensor, Colour]]) -> Tensor:
    """Shares [C, bins] in their colours -> uint8 [3, H, W]: a panel a channel; the last set is a line, others bars."""
    from PIL import Image, ImageDraw

    channels = len(sets[0][0])
    picture = Image.new("RGB", (WIDTH + 2 * MARGIN, channels * (HEIGHT + MARGIN) + MARGIN), "white")
    pen = ImageDraw.Draw(picture)
    for channel in range(channels):
        top = MARGIN // 2 + channel * (HEIGHT + MARGIN)
        scale(pen, top)
        *bars, (line, colour) = [(heights(shares[channel]), colour) for shares, colour in sets]
        for values, ink in bars:
            draw_bars(pen, top, values, ink)
        pen.line(steps(top, line), fill=colour, width=2)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def heights(shares: Tensor) -> list[float]:
    """In [0, 1], by the logarithm."""
    return (1 + shares.clamp(min=10.0**-DECADES).log10() / DECADES).tolist()


def scale(pen, top: int) -> None:
    for decade in range(DECADES + 1):
        y = top + HEIGHT * decade // DECADES
        pen.line([(MARGIN, y), (MARGIN + WIDTH, y)], fill=PALE)
        pen.text((MARGIN - 6, y), f"{10.0**-decade:g}", fill=GREY, anchor="rm")
    for value in (0, 64, 128, 192, 255):
        pen.text((MARGIN + WIDTH * value / 255, top + HEIGHT + 4), str(value), fill=GREY, anchor="mt")


def draw_bars(pen, top: int, values: list[float], colour: Colour) -> None:
    wide = WIDTH / len(values)
    for index, value in enumerate(values):
        if value > 0:
            left = MARGIN + index * wide
            pen.rectangle([left, top + HEIGHT * (1 - value), left + wide - 1, top + HEIGHT], fill=colour)


def steps(top: int, values: list[float]) -> list[tuple[float, float]]:
    """The outline of bars."""
    wide = WIDTH / len(values)
    corners = [(index + side, value) for index, value in enumerate(values) for side in (0, 1)]
    return [(MARGIN + column * wide, top + HEIGHT * (1 - value)) for column, value in corners]
