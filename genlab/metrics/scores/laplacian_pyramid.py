"""Laplacian pyramids: Burt and Adelson 1983, with the borders that Karras et al. 2018 give them."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

KERNEL = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16  # of rows and of columns


def laplacian_pyramid(images: Tensor, levels: int) -> list[Tensor]:
    """Return what each size of [N, C, H, W] adds to the next smaller one, largest first; last, the smallest image."""
    pyramid = [images]
    for _ in range(1, levels):
        small = downsample(pyramid[-1])
        pyramid[-1] = pyramid[-1] - upsample(small, pyramid[-1].shape[2:])
        pyramid.append(small)
    return pyramid


def downsample(images: Tensor) -> Tensor:
    """Blur, and keep every other pixel: [N, C, ceil(H / 2), ceil(W / 2)]."""
    return blur(images)[..., ::2, ::2]


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
