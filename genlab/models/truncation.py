"""Sampling for looks: latents near the mean, and batch statistics that suit them. Brock et al. 2019, section 3.1."""

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
    """Standard normal within +-threshold: the lower the threshold, the likelier and the more alike are the images."""

    size: Count = 100
    threshold: Positive = 1.0  # 0.04 to 2 in the paper

    def draw(self, draws: Draws) -> Tensor:
        """[N, size]. The inverse of the distribution function, where the authors draw again what lies outside."""
        below = 0.5 * math.erfc(self.threshold / math.sqrt(2))  # the share below -threshold
        share = below + (1 - 2 * below) * draws.uniform("latent", self.size)
        return torch.special.ndtri(share).clamp(-self.threshold, self.threshold)


@torch.no_grad()
def gather_statistics(
    generator: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor | None]],  # (latents, condition): 100 of them in the paper
) -> None:
    """Replaces a generator's running averages by its moments over these batches: its standing statistics.

    Leaves it in evaluation mode, and asks no other rank. Truncated latents need statistics of their own; give it a
    copy of a generator that goes on training.
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
