"""The running average of a network's weights, which makes better samples than the weights themselves."""

from copy import deepcopy

import torch
from torch import nn

from genlab.core.schedule import Changing, value_at
from genlab.core.types import Positive, Share


class EMA:
    """Averages weights and batch statistics: Karras et al. 2018, section 6.2, with a half-life in images.

    Early in a run the half-life is at most `warmup` of the images seen, so that the first weights are soon forgotten.
    """

    def __init__(
        self,
        network: nn.Module,
        total: int = 0,  # images in the whole run, for a half-life that changes over it
        *,
        halflife: Changing[Positive] = 10_000,  # images
        warmup: Share = 0.05,  # of the images seen; 0: no warm-up
    ) -> None:
        self.total, self.halflife, self.warmup = total, halflife, warmup
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._average, self._vectors = self._tensors(self.network)
        self._current, self._current_vectors = self._tensors(network)

    @torch.no_grad()
    def update(self, new: int, seen: int) -> None:
        """Move the average after `new` images, `seen` in all."""
        halflife = value_at(self.halflife, seen, self.total)
        halflife = min(halflife, seen * self.warmup) if self.warmup else halflife
        torch._foreach_lerp_(self._average, self._current, 1 - 0.5 ** (new / max(halflife, 1e-8)))
        if self._vectors:
            torch._foreach_copy_(self._vectors, self._current_vectors)

    @staticmethod
    def _tensors(network: nn.Module) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return the tensors to average, and those to copy: the singular vectors of spectral normalisation.

        A mean of unit vectors is shorter, so it would underestimate singular values and let weights grow.
        """
        buffers = dict(network.named_buffers())
        vectors = {name: buffer for name, buffer in buffers.items() if "parametrizations" in name.split(".")}
        rest = [*network.parameters(), *(buffer for name, buffer in buffers.items() if name not in vectors)]
        return [tensor for tensor in rest if tensor.is_floating_point()], list(vectors.values())
