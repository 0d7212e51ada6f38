"""StyleGAN's mapping network, from latents z to styles w."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core import distributed
from genlab.core.spec import Spec
from genlab.core.types import Count, Positive, ProperShare
from genlab.models.layers.equalised import HE, EqualisedLinear, PixelNorm


class LabelEmbedding(nn.Module):
    """condition -> [N, size] of mean square 1: an equalised linear layer of one-hot classes, attributes or words.

    As in the code of Karras et al. 2020 (ADA).
    """

    _version = 2  # of the state dict; version 1 was the layer `table` alone, unscaled

    def __init__(self, spec: Spec, size: Count) -> None:
        super().__init__()
        self.table, self.bias = spec.condition.embedding(size), nn.Parameter(torch.zeros(size))
        nn.init.normal_(self.table.weight)
        self.scale, self.normalise = spec.condition_size**-0.5, PixelNorm()

    def forward(self, condition: Tensor) -> Tensor:
        return self.normalise(self.table(condition) * self.scale + self.bias)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], *rest: Any) -> None:
        if metadata.get("version", self._version) < 2:
            for name in [name for name in state if name.startswith(prefix)]:
                state[f"{prefix}table.{name.removeprefix(prefix)}"] = state.pop(name) / self.scale
            state[f"{prefix}bias"] = torch.zeros_like(self.bias)
        super()._load_from_state_dict(state, prefix, metadata, *rest)


class Mapping(nn.Module):
    """(z [N, latent], condition=None) -> w [N, size]: Karras et al. 2019 (StyleGAN), sections 2 and 3.

    z and the embedding of a condition are normalised and concatenated first. In training the mean of w is tracked,
    towards which `truncate` moves styles (appendix B), whenever z of a turn are mapped.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        size: Count = 512,
        depth: Count = 8,
        rate: Positive = 0.01,  # learning rate relative to the other layers': appendix C
        bias_gain: Positive = HE,  # 1 in StyleGAN, whose rectifiers have no gain
        mean_decay: ProperShare = 0.995,  # of the tracked mean, per turn
        tracks_every_turn: bool = True,  # False: `in_discriminator_turn` alone
    ) -> None:
        super().__init__()
        self.size, self.mean_decay, self.tracks_every_turn = size, mean_decay, tracks_every_turn
        self.normalise = PixelNorm()
        self.embedding = LabelEmbedding(spec, size) if spec.condition_size else None
        inputs = latent_size + (size if self.embedding else 0)
        widths = [inputs, *[size] * depth]
        self.layers = nn.ModuleList(
            EqualisedLinear(*pair, gain=HE, bias_gain=bias_gain, rate=rate) for pair in pairwise(widths)
        )
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, z: Tensor, condition: Tensor | None = None, *, track: bool = True) -> Tensor:
        w = self.normalise(z)
        if self.embedding is not None:
            w = torch.cat([w, self.embedding(condition)], dim=1)
        for layer in self.layers:
            w = leaky_relu(layer(w), 0.2)
        if track and self.training and (self.tracks_every_turn or in_discriminator_turn()):
            self._track(w.detach())
        return w

    def truncate(self, w: Tensor, psi: float) -> Tensor:
        """Interpolate styles [..., size] between their mean, at psi 0, and w itself, at psi 1."""
        return torch.lerp(self.mean.to(w), w, psi)

    @torch.no_grad()
    def _track(self, w: Tensor) -> None:
        self.mean.lerp_(distributed.mean(w.mean(0)).to(self.mean), 1 - self.mean_decay)


def in_discriminator_turn() -> bool:
    """Return whether a generator in training makes images for the discriminator's turn, where it has no gradients."""
    return not torch.is_grad_enabled()
