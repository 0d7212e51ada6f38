"""The running average of a network's weights, which makes better samples than the weights themselves."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from genlab.core.schedule import Changing, value_at
from genlab.core.types import NonNegative, Share
from genlab.models.layer_contract import batch_statistics


class EMA:
    """Averages weights: Karras et al. 2018, section 6.2, with a half-life in images.

    Statistics of batch normalisation are averaged too, as in the public code of BigGAN. All other buffers are copied,
    as in that of StyleGAN: tracked means lag behind the weights as it is.

    Early in a run the half-life is at most `warmup` of the images seen, so that the first weights are soon forgotten.
    """

    def __init__(
        self,
        network: nn.Module,
        total: int = 0,  # images in the whole run, for a half-life that changes over it
        *,
        halflife: Changing[NonNegative] = 10_000,  # images; 0: the last weights alone
        warmup: Share = 0.05,  # of the images seen; 0: no warm-up
    ) -> None:
        self.total, self.halflife, self.warmup = total, halflife, warmup
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._average, self._copies = self._tensors(self.network)
        self._current, self._originals = self._tensors(network)

    @torch.no_grad()
    def update(self, new: int, seen: int) -> None:
        """Move the average after `new` images, `seen` in all."""
        halflife = value_at(self.halflife, seen, self.total)
        halflife = min(halflife, seen * self.warmup) if self.warmup else halflife
        torch._foreach_lerp_(self._average, self._current, 1 - 0.5 ** (new / max(halflife, 1e-8)))
        if self._copies:
            torch._foreach_copy_(self._copies, self._originals)

    @staticmethod
    def _tensors(network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
        """Return the tensors to average, and those to copy.

        Copies include the singular vectors of spectral normalisation: a mean of unit vectors is shorter, so it would
        underestimate singular values and let weights grow.
        """
        statistics = batch_statistics(network)
        averaged = [tensor for tensor in (*network.parameters(), *statistics) if tensor.is_floating_point()]
        known = {id(tensor) for tensor in statistics}
        return averaged, [buffer for buffer in network.buffers() if id(buffer) not in known]
