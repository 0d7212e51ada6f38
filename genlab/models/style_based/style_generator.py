"""What all style-based generators are: a mapping from latents to styles, and a synthesis that styles steer."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from genlab.models.layers.mapping import Mapping


class StyleGenerator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W]: Karras et al. 2019 (StyleGAN).

    A subclass has `synthesis`, which takes a style for each of its `layers`, coarse ones first.
    """

    unbounded: ClassVar[bool] = True  # as published, nothing but training holds images to [-1, 1]

    def __init__(
        self,
        mapping: Mapping,
        *,
        layers: int,  # how many take a style
        mixing: float = 0.0,  # share of images with a second style from a random layer on, in training: section 3.1
    ) -> None:
        super().__init__()
        self.mapping, self.layers, self.mixing = mapping, layers, mixing
        self.style_size = mapping.size

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.synthesis(self.styles(z, condition))

    def synthesis(self, styles: Tensor) -> Tensor:
        """[N, layers, W] -> images [N, C, H, W]."""
        raise NotImplementedError

    def styles(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """[N, layers, W]: the same for all layers, but for mixing in training."""
        styles = self.spread(self.map_latents(z, condition))
        if not (self.training and self.mixing):
            return styles
        others = self.spread(self.map_latents(torch.randn_like(z), condition))
        return torch.where(self._before_the_cut(len(z), z.device), styles, others)

    def map_latents(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """[N, latent] -> w [N, W]."""
        return self.mapping(z, condition)

    def truncate_styles(self, styles: Tensor, psi: float) -> Tensor:
        """[..., W] -> the same, drawn together about the tracked mean: at psi 0 the mean, at 1 as they are."""
        return self.mapping.truncate(styles, psi)

    def spread(self, w: Tensor) -> Tensor:
        """[N, W] -> [N, layers, W]."""
        return w[:, None].expand(-1, self.layers, -1)

    def _before_the_cut(self, count: int, device: torch.device) -> Tensor:
        """[N, layers, 1]: layers of the first style; all of them in images that are not mixed."""
        cut = torch.randint(1, max(self.layers, 2), (count, 1), device=device)
        whole = torch.rand(count, 1, device=device) >= self.mixing
        return ((torch.arange(self.layers, device=device) < cut) | whole)[..., None]
