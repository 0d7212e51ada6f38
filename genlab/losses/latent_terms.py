"""Terms on an encoder's latents: the divergence of a posterior from the prior, the distance to a codebook."""

from torch import Tensor, where


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, 1)) in nats a dimension, [N, L]: Kingma and Welling 2014, appendix B."""
    return (mean.square() + log_variance.exp() - log_variance - 1) / 2


def free_bits(divergence: Tensor, least: float) -> Tensor:
    """Sum the divergences [N, L] of dimensions to [N]; a dimension whose batch mean is below `least` counts as `least`.

    Kingma et al. 2016, equation 15, each dimension a group. `least` is in nats; the batch is a micro-batch.
    """
    if least:
        divergence = where(divergence.mean(0) > least, divergence, least)
    return divergence.sum(1)


def commitment(latents: Tensor, codes: Tensor) -> Tensor:
    """Return |z - sg[e]|^2, [N, D, ...] -> [N], summed: van den Oord et al. 2017, eq. 3, third term without beta."""
    return (latents - codes.detach()).square().flatten(1).sum(1)
