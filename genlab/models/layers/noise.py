"""StyleGAN's noise inputs, for stochastic detail of pictures such as hair, freckles and grain."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

NoiseMode = Literal["training", "fixed", "random", "none"]


class Noise(nn.Module):
    """[N, C, H, W] + strength x noise [N, 1, H, W]: Karras et al. 2019 (StyleGAN), figure 1; strengths start at 0.

    In training noise is random; in evaluation it is a buffer, the same for every image, so that samples depend on their
    latents alone. `set_noise` changes the `mode` of a network's layers.
    """

    mode: NoiseMode = "training"

    def __init__(self, size: tuple[int, int], channels: int = 1) -> None:  # a strength for each channel, or one
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels, 1, 1))
        self.register_buffer("fixed", torch.randn(1, 1, *size))

    def forward(self, maps: Tensor) -> Tensor:
        if self.mode == "none":
            return maps
        return maps + self.strength * self._noise_for(maps)

    def _noise_for(self, maps: Tensor) -> Tensor:
        if self.mode == "random" or (self.mode == "training" and self.training):
            return torch.randn(len(maps), 1, *maps.shape[2:], device=maps.device, dtype=maps.dtype)
        return self.fixed.to(maps.dtype)


def set_noise(network: nn.Module, mode: NoiseMode) -> None:
    """Set the noise of all of a network's layers; `training` is random in training and fixed otherwise."""
    for layer in network.modules():
        if isinstance(layer, Noise):
            layer.mode = mode
