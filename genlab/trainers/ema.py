"""The running average of a network's weights, which gives better samples than the weights do."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn

from genlab.types import Positive, Share


class EMA:
    """Karras et al. 2018, section 6.2, with its half-life in images; batch normalisation's statistics too.

    While the run is young the half-life is at most `warmup` of the images seen, so that the average
    does not hang on to the first weights.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        halflife: Positive = 10_000,  # images
        warmup: Share = 0.05,  # of the images seen; 0: no warm-up
    ) -> None:
        self.halflife, self.warmup = halflife, warmup
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._average = [tensor for tensor in self._tensors(self.network) if tensor.is_floating_point()]
        self._current = [tensor for tensor in self._tensors(network) if tensor.is_floating_point()]

    @torch.no_grad()
    def update(self, new: int, seen: int) -> None:
        """After `new` images, `seen` in all."""
        halflife = min(self.halflife, seen * self.warmup) if self.warmup else self.halflife
        torch._foreach_lerp_(self._average, self._current, 1 - 0.5 ** (new / max(halflife, 1e-8)))

    def state_dict(self) -> dict:
        return self.network.state_dict()

    def load_state_dict(self, state: dict) -> None:
        self.network.load_state_dict(state)

    @staticmethod
    def _tensors(network: nn.Module) -> list[torch.Tensor]:
        return [*network.parameters(), *network.buffers()]
