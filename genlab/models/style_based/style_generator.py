"""Base class of style-based generators: a mapping from latents to styles, and a synthesis network."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from genlab.core.types import Count
from genlab.models.layers.mapping import Mapping


class StyleGenerator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W]: Karras et al. 2019 (StyleGAN).

    A subclass defines `synthesis`, which takes a style for each of its `layers`, coarse ones first.
    """

    unbounded: ClassVar[bool] = True  # as published, nothing but training holds images to [-1, 1]

    def __init__(
        self,
        mapping: Mapping,
        *,
        layers: int,  # number of layers that take a style
        mixing: float = 0.0,  # share of images with a second style from a random layer on, in training: section 3.1
        truncated_layers: Count | None = None,  # first ones, whose styles truncation moves; null: all
    ) -> None:
        super().__init__()
        self.mapping, self.layers, self.mixing = mapping, layers, mixing
        self.truncated_layers = layers if truncated_layers is None else truncated_layers
        self.style_size = mapping.size

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.synthesis(self.styles(z, condition))

    def synthesis(self, styles: Tensor) -> Tensor:
        """Return images [N, C, H, W] from styles [N, layers, W]."""
        raise NotImplementedError

    def styles(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return styles [N, layers, W], the same for all layers except with mixing in training.

        The second style of a mixture does not count in the tracked mean.
        """
        styles = self.spread(self.map_latents(z, condition))
        if not (self.training and self.mixing):
            return styles
        others = self.spread(self.mapping(torch.randn_like(z), condition, track=False))
        return torch.where(self._first_style_mask(len(z), z.device), styles, others)

    def map_latents(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map latents [N, latent] to w [N, W]."""
        return self.mapping(z, condition)

    def truncate_styles(self, styles: Tensor, psi: float) -> Tensor:
        """Move styles [N, layers, W] towards the tracked mean: at psi 0 all are the mean, at 1 they stay.

        Styles after the first `truncated_layers` are left as they are: Karras et al. 2019, appendix B.
        """
        first, others = styles[:, : self.truncated_layers], styles[:, self.truncated_layers :]
        return torch.cat([self.mapping.truncate(first, psi), others], 1)

    def spread(self, w: Tensor) -> Tensor:
        """Repeat w [N, W] for all layers: [N, layers, W]."""
        return w[:, None].expand(-1, self.layers, -1)

    def _first_style_mask(self, count: int, device: torch.device) -> Tensor:
        """Return a mask [N, layers, 1] of the layers with the first style: all of them in images that are not mixed."""
        cut = torch.randint(1, max(self.layers, 2), (count, 1), device=device)
        whole = torch.rand(count, 1, device=device) >= self.mixing
        return ((torch.arange(self.layers, device=device) < cut) | whole)[..., None]
