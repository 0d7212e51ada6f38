"""Cuts stored pictures to the size that networks see."""

import torch
from torch import Tensor


def cut(pictures: Tensor, size: int, down: Tensor, right: Tensor) -> Tensor:
    """[N, C, H, W] -> the squares [N, C, size, size] that begin `down` and `right` [N] pixels from the corner."""
    windows = pictures.unfold(2, size, 1).unfold(3, size, 1)  # [N, C, H', W', size, size], a view
    return windows[torch.arange(len(pictures), device=pictures.device), :, down, right]


def centred(pictures: Tensor, size: int) -> Tensor:
    """The square in the middle; a view."""
    top, left = ((side - size) // 2 for side in pictures.shape[2:])
    return pictures[..., top : top + size, left : left + size]
