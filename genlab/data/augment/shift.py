"""Shifts of images by whole pixels, a different one for each image."""

from typing import Any

import torch
from torch import Tensor


def shift_images(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Shift images [N, C, H, W] by `down` and `right` [N] pixels, zeros coming in; twice differentiable."""
    return Shift.apply(images, down, right)


class Shift(torch.autograd.Function):
    """A shift whose backward pass is the shift back, which is its transpose.

    autograd would scatter the gradient instead: slower, and on CUDA summed in no fixed order.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, down: Tensor, right: Tensor) -> Tensor:
        ctx.save_for_backward(down, right)
        return gather_pixels(images, down, right)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        down, right = ctx.saved_tensors
        return Shift.apply(gradient, -down, -right), None, None


def gather_pixels(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    count, channels, height, width = images.shape
    rows, columns = source_indices(height, down).unsqueeze(2), source_indices(width, right).unsqueeze(1)
    image = torch.arange(count, device=images.device).view(-1, 1, 1)
    pixels = (image * height + rows.clamp(0, height - 1)) * width + columns.clamp(0, width - 1)
    # One look-up of whole pixels: faster than a gather along each axis for channels-last images.
    found = images.permute(0, 2, 3, 1).reshape(-1, channels).index_select(0, pixels.flatten())
    found = found.view(count, height, width, channels).permute(0, 3, 1, 2)
    there = is_inside(rows, height) & is_inside(columns, width)
    found = found * there.unsqueeze(1).to(images.dtype)
    return found.contiguous() if images.is_contiguous() else found


def source_indices(side: int, by: Tensor) -> Tensor:
    """Return the index [N, side] that each place's pixel comes from, which may lie outside the image."""
    return torch.arange(side, device=by.device) - by.view(-1, 1)


def is_inside(places: Tensor, side: int) -> Tensor:
    return (places >= 0) & (places < side)
