"""StyleGAN's mapping network, from latents z to styles w."""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core import distributed
from genlab.core.spec import Spec
from genlab.core.types import Count, Positive, ProperShare
from genlab.models.layers.equalised import HE, EqualisedLinear, PixelNorm


class Mapping(nn.Module):
    """(z [N, latent], condition=None) -> w [N, size]: Karras et al. 2019 (StyleGAN), sections 2 and 3.

    z and the embedding of a condition are normalised and concatenated first. In training the mean of w is tracked,
    towards which `truncate` moves styles (appendix B).
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        size: Count = 512,
        depth: Count = 8,
        rate: Positive = 0.01,  # learning rate relative to the other layers': appendix C
        mean_decay: ProperShare = 0.995,  # of the tracked mean, per turn
    ) -> None:
        super().__init__()
        self.size, self.mean_decay = size, mean_decay
        self.normalise = PixelNorm()
        self.embedding = spec.condition.embedding(size) if spec.condition_size else None
        inputs = latent_size + (size if self.embedding else 0)
        widths = [inputs, *[size] * depth]
        self.layers = nn.ModuleList(
            EqualisedLinear(*pair, gain=HE, rate=rate) for pair in zip(widths, widths[1:], strict=False)
        )
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        w = self.normalise(z)
        if self.embedding is not None:
            w = torch.cat([w, self.normalise(self.embedding(condition))], dim=1)
        for layer in self.layers:
            w = leaky_relu(layer(w), 0.2)
        if self.training:
            self._track(w.detach())
        return w

    def truncate(self, w: Tensor, psi: float) -> Tensor:
        """Interpolate styles [..., size] between their mean, at psi 0, and w itself, at psi 1."""
        return torch.lerp(self.mean.to(w), w, psi)

    @torch.no_grad()
    def _track(self, w: Tensor) -> None:
        self.mean.lerp_(distributed.mean(w.mean(0)).to(self.mean), 1 - self.mean_decay)
