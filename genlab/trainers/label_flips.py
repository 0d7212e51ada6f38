"""Flipped labels: now and then the discriminator is told that real images are generated, and generated ones real."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from genlab.core.random import Draws
from genlab.core.types import ProperShare

FlipUnit = Literal["pair", "batch"]


@dataclass(frozen=True)
class LabelFlips:
    """Swaps the logits of some pairs, or of whole batches at some turns, which flips both labels.

    Against overconfidence: Chintala et al. 2016, "How to train a GAN?", tip 6. Lectures mostly flip whole batches.
    """

    share: ProperShare  # of the pairs, or of the turns
    unit: FlipUnit

    def __call__(self, real: Tensor, fake: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return logits [N, ...] to count as real, and to count as generated."""
        if not self.share:
            return real, fake
        if self.unit == "batch":
            draws = replace(draws, batch=1, start=0, stop=1)  # one number for all ranks and micro-batches
        swap = draws.uniform("flip_labels", *[1] * (real.ndim - 1)) < self.share
        return torch.where(swap, fake, real), torch.where(swap, real, fake)
