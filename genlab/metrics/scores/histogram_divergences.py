"""Divergences between histograms, in nats."""

import torch
from torch import Tensor


def shares(counts: Tensor, extra: float = 0.0) -> Tensor:
    """Return probabilities [K] from counts [K], with `extra` added to every count."""
    counts = counts.double() + extra
    return counts / counts.sum()


def kl_divergence(p: Tensor, q: Tensor) -> float:
    """Return KL(p | q), the sum of p log(p / q); a term with p = 0 is 0. Infinite if q alone is 0 anywhere."""
    return torch.where(p > 0, p * (p / q).log(), 0.0).sum().item()


def js_divergence(p: Tensor, q: Tensor) -> float:
    """Return the Jensen-Shannon divergence, from 0 to log 2: Lin 1991, eq. 4.1."""
    mean = (p + q) / 2
    return (kl_divergence(p, mean) + kl_divergence(q, mean)) / 2
