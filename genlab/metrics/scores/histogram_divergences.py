"""Divergences between histograms, in nats."""

from __future__ import annotations

import torch
from torch import Tensor


def shares(counts: Tensor, extra: float = 0.0) -> Tensor:
    """Counts [K] -> probabilities [K]; `extra` is added to every count."""
    counts = counts.double() + extra
    return counts / counts.sum()


def kl_divergence(p: Tensor, q: Tensor) -> float:
    """KL(p | q), the sum of p log(p / q); where p is 0 there is nothing to add. Infinite where q alone is 0."""
    return torch.where(p > 0, p * (p / q).log(), 0.0).sum().item()


def js_divergence(p: Tensor, q: Tensor) -> float:
    """Jensen-Shannon, Lin 1991, eq. 4.1: from 0 to log 2."""
    mean = (p + q) / 2
    return (kl_divergence(p, mean) + kl_divergence(q, mean)) / 2
