"""The contract of layers: what a network's layers state, and what follows from it for the network."""

from collections.abc import Iterable
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

NoiseMode = Literal["training", "fixed", "random", "none"]


@runtime_checkable
class AddsNoise(Protocol):
    """A layer that adds noise to its maps."""

    noise_mode: NoiseMode  # `training`: random in training, fixed otherwise


def has_noise(generator: nn.Module) -> bool:
    """Return whether some layer adds noise to its maps."""
    return any(isinstance(layer, AddsNoise) for layer in generator.modules())


def set_noise(generator: nn.Module, mode: NoiseMode) -> None:
    """Set the noise of all layers."""
    for layer in generator.modules():
        if isinstance(layer, AddsNoise):
            layer.noise_mode = mode


def has_batch_norm(network: nn.Module) -> bool:
    """Return whether a layer normalises by statistics of the batch."""
    return any(isinstance(module, _BatchNorm) for module in network.modules())


def batch_statistics(network: nn.Module) -> list[Tensor]:
    """Return the buffers of batch normalisation."""
    norms = (module for module in network.modules() if isinstance(module, _BatchNorm))
    return [buffer for norm in norms for buffer in norm.buffers(recurse=False)]


def mixes_batch(network: nn.Module) -> bool:
    """Return whether, in training, an image's output depends on the other images of its batch.

    A layer other than batch normalisation that does so states `mixes_batch = True`.
    """
    return has_batch_norm(network) or any(getattr(module, "mixes_batch", False) for module in network.modules())


def tracks_in_discriminator_turn(generator: nn.Module) -> bool:
    """Return whether the generator's tracked means move in the discriminator's turn alone: it states so."""
    return getattr(generator, "tracks_in_discriminator_turn", False)


def weight_scale_of(layer: nn.Module) -> float | None:
    """Return how many times its weight a layer with an equalised learning rate multiplies with: its `weight_scale`.

    None: the layer uses its weight as it is.
    """
    return getattr(layer, "weight_scale", None)


def needs_standing_statistics(generator: nn.Module) -> bool:
    """Return whether truncated latents need batch statistics of their own: it states `standing_statistics = True`.

    BigGAN's authors alone gather them (Brock et al. 2019). Where batch normalisation is all that follows
    the first layer, statistics of truncated latents undo the truncation.
    """
    return getattr(generator, "standing_statistics", False)


def normalises_latent(generator: nn.Module) -> bool:
    """Return whether only the direction of a latent counts: the generator states `normalises_latent = True`."""
    return getattr(generator, "normalises_latent", False)


@torch.no_grad()
def gather_statistics(
    generator: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor | None]],  # (latents, condition): 100 of them in the paper
) -> None:
    """Replace a generator's running averages by its moments over these batches: its standing statistics.

    The generator is left in evaluation mode, and ranks do not share their moments. Pass a copy of a generator that goes
    on training.
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
