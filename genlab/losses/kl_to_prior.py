"""The evidence lower bound's other half: how far a posterior is from the prior."""

from __future__ import annotations

from torch import Tensor, where


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) in nats of every dimension, [N, L]: Kingma and Welling 2014, appendix B."""
    return (mean.square() + log_variance.exp() - log_variance - 1) / 2


def free_bits(divergence: Tensor, least: float) -> Tensor:
    """[N, L] -> [N]; a dimension whose mean over the batch is below `least` counts as `least`, and is free.

    Kingma et al. 2016, equation 15, each dimension a group. `least` is in nats; the batch is a micro-batch.
    """
    if least:
        divergence = where(divergence.mean(0) > least, divergence, least)
    return divergence.sum(1)
