"""StyleGAN's noise inputs, for stochastic detail of pictures such as hair, freckles and grain."""

import torch
from torch import Tensor, nn

from genlab.models.layer_contract import NoiseMode


class Noise(nn.Module):
    """[N, C, H, W] + strength x noise [N, 1, H, W]: Karras et al. 2019 (StyleGAN), figure 1; strengths start at 0.

    In training noise is random; in evaluation it is a buffer, the same for every image, so that samples depend on their
    latents alone. `set_noise` changes the `noise_mode` of a network's layers.
    """

    noise_mode: NoiseMode = "training"

    def __init__(self, size: tuple[int, int], channels: int = 1) -> None:  # a strength for each channel, or one
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels, 1, 1))
        self.register_buffer("fixed", torch.randn(1, 1, *size))

    def forward(self, maps: Tensor) -> Tensor:
        if self.noise_mode == "none":
            return maps
        return maps + self.strength * self._noise_for(maps)

    def _noise_for(self, maps: Tensor) -> Tensor:
        if self.noise_mode == "random" or (self.noise_mode == "training" and self.training):
            return torch.randn(len(maps), 1, *maps.shape[2:], device=maps.device, dtype=maps.dtype)
        return self.fixed.to(maps.dtype)
