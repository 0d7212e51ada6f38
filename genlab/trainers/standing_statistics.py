"""Batch statistics that suit truncated latents: Brock et al. 2019, section 3.1."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def gather_statistics(
    generator: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor | None]],  # (latents, condition): 100 of them in the paper
) -> None:
    """Replace a generator's running averages by its moments over these batches: its standing statistics.

    The generator is left in evaluation mode, and ranks do not share their moments. Pass a copy of a generator that goes
    on training: truncated latents need statistics of their own.
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
