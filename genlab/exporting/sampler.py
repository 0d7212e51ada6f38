"""Sampler: one module from latents to finished images, for export."""

from copy import deepcopy

from torch import Tensor, nn
from torch.nn.utils.parametrize import remove_parametrizations

from genlab.trainers.sample_stream import SampleStream


class Sampler(nn.Module):
    """(z, condition=None) -> images [N, C, H, W] in [-1, 1] without the data's padding, or points in the data's units.

    Holds a copy of the network that evaluation samples from, in float32 on the CPU: with averaged weights if the run
    has any, without parametrisations, and with the loss's rendering of a decoder's output as images.
    """

    def __init__(self, stream: SampleStream) -> None:
        super().__init__()
        with stream.sampling() as network:
            self.network = remove_all_parametrizations(deepcopy(network)).cpu().float()
        self.picture, self.spec = stream.render, stream.spec
        self.condition = stream.spec.condition if stream.model.conditional else None
        self.requires_grad_(False).eval()

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        output = self.picture(self.network(z, condition))
        if self.spec.height is None:
            return output * self.spec.scale
        return self.spec.crop(output).clamp(-1, 1)


def remove_all_parametrizations(network: nn.Module) -> nn.Module:
    """Replace parametrised weights (spectral norm, fixed lengths) by ordinary ones of the same value, in place."""
    network.eval()  # or spectral norm would take one more power iteration
    for module in list(network.modules()):
        for name in list(getattr(module, "parametrizations", ())):
            remove_parametrizations(module, name)
    return network


def example_inputs(stream: SampleStream, start: int, count: int) -> tuple[Tensor, ...]:
    """Return (z, condition), or (z,), of the run's fixed samples from `start` (at most 500 in all), on the CPU."""
    z = stream.model.latent.draw(stream.fixed_draws(0))[start : start + count]
    condition = stream.sample_conditions(start, count)
    conditions = () if condition is None else (condition,)
    return tuple(value.cpu().float() if value.is_floating_point() else value.cpu() for value in (z, *conditions))
