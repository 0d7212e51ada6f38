"""From latents to finished images in one module."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

if TYPE_CHECKING:
    from genlab.trainers.sample_stream import SampleStream


class Sampler(nn.Module):
    """(z, condition=None) -> images [N, C, H, W] in [-1, 1] without the data's padding, or points in their own units.

    A copy of the network that samples come from, in float32 on the CPU: averaged weights if the run has any, the
    loss's picture of a decoder's output, and weights without parametrisations, as evaluation uses them.
    """

    def __init__(self, stream: SampleStream) -> None:
        super().__init__()
        with stream.sampling() as network:
            self.network = plain(deepcopy(network)).cpu().float()
        self.picture, self.spec = stream.render, stream.spec
        self.requires_grad_(False).eval()

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        output = self.picture(self.network(z, condition))
        if self.spec.height is None:
            return output * self.spec.scale
        return self.spec.crop(output).clamp(-1, 1)


def plain(network: nn.Module) -> nn.Module:
    """The network, its parametrised weights (spectral norm, fixed lengths) made ordinary ones of the same value."""
    network.eval()  # or spectral norm would take one more power iteration
    for module in list(network.modules()):
        for name in list(module.parametrizations) if is_parametrized(module) else ():
            remove_parametrizations(module, name)
    return network


def inputs(stream: SampleStream, start: int, count: int) -> tuple[Tensor, ...]:
    """(z, condition) or (z,): rows `start` to `start + count`, at most 500, of the run's fixed samples, on the CPU."""
    z = stream.model.latent.draw(stream.fixed_draws(0))[start : start + count]
    condition = stream.sample_conditions(start, count)
    told = () if condition is None else (condition,)
    return tuple(value.cpu().float() if value.is_floating_point() else value.cpu() for value in (z, *told))
