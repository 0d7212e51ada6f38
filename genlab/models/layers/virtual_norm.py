"""Virtual batch normalisation: Salimans et al. 2016, section 3.5.

Batch normalisation makes an image depend on the other images of its batch. Here a fixed reference batch, drawn once,
takes the place of the others. It runs through the network in front of every batch, at the cost of so many more rows,
which is why the paper uses it in the generator alone.
"""

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.latent import Normal, Uniform

REFUSAL = (
    "norm=virtual: a reference batch runs in front of generators' batches only "
    "(Salimans et al. 2016, section 3.5). Choose batch, layer, instance or none for this network."
)


class VirtualBatchNorm(nn.Module):
    """[R + N, C, ...] -> the same shape; `WithReference` makes the first R rows the reference batch.

    The reference is normalised by its own statistics. With `sample` each other row contributes 1 / (R + 1) to its own
    statistics, as in the paper; without, the reference's alone are used, which calls for a larger one.

    Raises ConfigError outside of `WithReference`.
    """

    def __init__(self, features: Count, *, reference: Count = 64, sample: bool = True, eps: float = 1e-5) -> None:
        super().__init__()
        self.reference, self.sample, self.eps = reference, sample, eps
        self.has_reference = False  # set by `WithReference`
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, values: Tensor) -> Tensor:
        if not self.has_reference:
            raise ConfigError(REFUSAL)
        maps = values if values.ndim > 2 else values[..., None]
        mean, variance = self.statistics(maps)
        scale = self.weight / (variance + self.eps).sqrt()
        shift = self.bias - mean * scale
        places = (..., *[None] * (maps.ndim - 2))
        return (maps * scale[places] + shift[places]).view_as(values)

    def statistics(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance that normalise each row of maps [R + N, C, ...], [R + N or 1, C] each."""
        places = tuple(range(2, maps.ndim))
        reference = maps[: self.reference]
        mean, variance = reference.mean((0, *places)), reference.var((0, *places), correction=0)
        if not self.sample:
            return mean[None], variance[None]
        share = torch.full((len(maps), 1), 1 / (self.reference + 1), device=maps.device, dtype=maps.dtype)
        share[: self.reference] = 0
        own, spread = maps.mean(places), maps.var(places, correction=0)
        joint = mean + share * (own - mean)
        within = variance + share * (spread - variance)
        between = (1 - share) * (mean - joint).square() + share * (own - joint).square()
        return joint, within + between


class WithReference(nn.Module):
    """A generator with virtual batch normalisation and its reference batch: (z [N, L], condition) -> images."""

    def __init__(self, network: nn.Module, latents: Tensor, condition: Tensor | None = None) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("latents", latents)  # [R, L]
        self.register_buffer("condition", condition)
        for layer in virtual_layers(network):
            layer.has_reference = True

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.condition is not None:
            condition = torch.cat([self.condition, condition])
        return self.network(torch.cat([self.latents, z]), condition)[len(self.latents) :]


def virtual_layers(network: nn.Module) -> list[VirtualBatchNorm]:
    return [module for module in network.modules() if isinstance(module, VirtualBatchNorm)]


def with_reference(network: nn.Module, latent: Normal | Uniform, spec: Spec) -> nn.Module:
    """Return the generator, with a reference batch drawn from the latent if one of its layers needs it.

    The batch depends on torch's global seed, as initial weights do.
    """
    layers = virtual_layers(network)
    if not layers:
        return network
    rows, seed = layers[0].reference, int(torch.randint(2**31, ()))
    draws = Draws((seed, "reference"), rows, 0, rows, torch.device("cpu"))
    condition = None if spec.condition is None else spec.condition.reference_batch(draws)
    return WithReference(network, latent.draw(draws), condition)


def without_reference(network: nn.Module) -> nn.Module:
    """Return the discriminator. Raises ConfigError if one of its layers needs a reference batch."""
    if virtual_layers(network):
        raise ConfigError(f"model.discriminator.{REFUSAL}")
    return network
