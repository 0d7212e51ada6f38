"""The truncation trick: truncated latents, and batch statistics measured on them. Brock et al. 2019, section 3.1."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from genlab.core.random import Draws
from genlab.core.types import Count, Positive


@dataclass(frozen=True)
class Truncated:
    """Standard normal latents within +-threshold: a lower one gives better and less varied images."""

    size: Count = 100
    threshold: Positive = 1.0  # 0.04 to 2 in the paper

    def draw(self, draws: Draws) -> Tensor:
        """Return latents [N, size] by the inverse distribution function, where the authors redraw values outside."""
        below = 0.5 * math.erfc(self.threshold / math.sqrt(2))  # probability below -threshold
        share = below + (1 - 2 * below) * draws.uniform("latent", self.size)
        return torch.special.ndtri(share).clamp(-self.threshold, self.threshold)


@torch.no_grad()
def gather_statistics(
    generator: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor | None]],  # (latents, condition): 100 of them in the paper
) -> None:
    """Replace a generator's running averages by its moments over these batches: its standing statistics.

    The generator is left in evaluation mode; no other rank takes part. Truncated latents need statistics of their own;
    pass a copy of a generator that goes on training.
    """
    generator.eval()
    norms = [module for module in generator.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
        norm.train()
    for latents, condition in batches:
        generator(latents, condition)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
