"""Bounds on the likelihood of images under a decoder, by importance sampling from an encoder's posterior."""

from collections.abc import Callable
from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core.random import generator
from genlab.models.contract import Posterior


class Bounds(NamedTuple):
    """Upper bounds on -log p(x) in nats, [N] each."""

    nll: Tensor  # by importance sampling; the tighter, the more samples
    negative_elbo: Tensor  # with the same samples


@torch.no_grad()
def likelihood(
    images: Tensor,  # [N, ...]
    encode: Callable[[Tensor], Posterior],
    error: Callable[[Tensor, Tensor], Tensor],  # (z [M, L], images [M, ...]) -> -log p(images | z) [M]
    *,
    samples: int,  # an image
    seed: int,
    batch_size: int = 50,  # images at a time; another one draws other noise
) -> Bounds:
    """Return bounds on -log p(x) under a standard normal prior: Burda et al. 2016, equation 8."""
    found = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        source = generator(seed, "likelihood", start)
        found.append(draw_bounds(batch, encode(batch), error, samples, source))
    return Bounds(*map(torch.cat, zip(*found, strict=True)))


def draw_bounds(
    images: Tensor,
    posterior: Posterior,
    error: Callable[[Tensor, Tensor], Tensor],
    samples: int,
    source: torch.Generator,
) -> Bounds:
    size = posterior.sample(torch.zeros((), device=images.device)).shape  # [N, L]
    noise = torch.randn(samples, *size, generator=source, dtype=images.dtype).to(images.device)
    z = posterior.sample(noise)
    copies = images.expand(samples, *images.shape).flatten(0, 1)
    conditional = -error(z.flatten(0, 1), copies).view(samples, len(images))
    weights = conditional + log_prior(z) - posterior.log_density(z)  # [samples, N], logarithms
    return Bounds(log(samples) - weights.logsumexp(0), -weights.mean(0))


def log_prior(z: Tensor) -> Tensor:
    """Return the log density of a standard normal, [..., L] -> [...]."""
    return -(z.square() + log(2 * pi)).sum(-1) / 2
