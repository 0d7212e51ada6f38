"""Images moved by whole pixels, each by its own number."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def shifted(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """[N, C, H, W] moved by `down` and `right` [N] pixels, with zeros where nothing was; twice differentiable."""
    return Shift.apply(images, down, right)


class Shift(torch.autograd.Function):
    """The transpose of a shift is the shift back, so that is the backward pass.

    autograd would scatter the gradient, which is slower, and on CUDA sums in no fixed order.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, down: Tensor, right: Tensor) -> Tensor:
        ctx.save_for_backward(down, right)
        return moved(images, down, right)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        down, right = ctx.saved_tensors
        return Shift.apply(gradient, -down, -right), None, None


def moved(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    count, channels, height, width = images.shape
    rows, columns = sources(height, down).unsqueeze(2), sources(width, right).unsqueeze(1)
    image = torch.arange(count, device=images.device).view(-1, 1, 1)
    pixels = (image * height + rows.clamp(0, height - 1)) * width + columns.clamp(0, width - 1)
    # One look-up of whole pixels: quicker than a gather along each axis where images lie channels last.
    found = images.permute(0, 2, 3, 1).reshape(-1, channels).index_select(0, pixels.flatten())
    found = found.view(count, height, width, channels).permute(0, 3, 1, 2)
    there = inside(rows, height) & inside(columns, width)
    found = found * there.unsqueeze(1).to(images.dtype)
    return found.contiguous() if images.is_contiguous() else found


def sources(side: int, by: Tensor) -> Tensor:
    """[N, side]: where each place's pixel comes from, which may lie outside."""
    return torch.arange(side, device=by.device) - by.view(-1, 1)


def inside(places: Tensor, side: int) -> Tensor:
    return (places >= 0) & (places < side)
