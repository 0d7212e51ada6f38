"""Freezing of a network's first layers."""

import logging
from typing import NamedTuple

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError, require
from genlab.core.evaluation_mode import evaluating
from genlab.core.spec import Spec
from genlab.trainers.system import Player

BLANK_IMAGES = 4  # in the batch that finds the order of layers
log = logging.getLogger(__name__)


class Layer(NamedTuple):
    name: str
    weights: list[nn.Parameter]


def freeze_first(player: Player, count: int, images: Tensor, condition: Tensor | None) -> None:
    """Stop training the player's `count` layers next to the image: Mo et al. 2020 (FreezeD).

    Their statistics (running averages, estimates of singular values) go on following the data.
    Raises ConfigError if no layer is left to learn.
    """
    layers = layers_in_order(player.module, images, condition)
    if count >= len(layers):
        raise ConfigError(
            f"trainer.freeze_discriminator={count}: this discriminator has {len(layers)} layers, and one must learn. "
            f"Expected 0 to {len(layers) - 1}."
        )
    frozen = {id(weight) for layer in layers[:count] for weight in layer.weights}
    for weight in player.parameters:
        weight.requires_grad = id(weight) not in frozen
    player.parameters = [weight for weight in player.parameters if weight.requires_grad]
    log.info("frozen, of the discriminator's %d layers: %s", len(layers), ", ".join(name for name, _ in layers[:count]))


@torch.no_grad()
def layers_in_order(network: nn.Module, images: Tensor, condition: Tensor | None) -> list[Layer]:
    """Run the network on images, and return its layers in the order of their first use.

    A layer is a convolution or another matrix, with the vectors that follow it: biases, a normalisation's scales.
    """
    layers: list[Layer] = []
    # Without the modules inside parametrisations: the weights that these hold belong to the parametrised layer.
    names = {module: name for name, module in network.named_modules() if "parametrizations" not in name.split(".")}

    def note(module: nn.Module, _: tuple) -> None:
        weights = own_weights(module)
        if any(weight is weights[0] for layer in layers for weight in layer.weights):
            return
        if not layers or any(weight.ndim > 1 for weight in weights):
            layers.append(Layer(names[module], []))
        layers[-1].weights.extend(weights)

    hooks = [module.register_forward_pre_hook(note) for module in names if own_weights(module)]
    with evaluating(network):  # statistics stay as they are
        network(images, condition)
    for hook in hooks:
        hook.remove()
    return layers


def own_weights(module: nn.Module) -> list[nn.Parameter]:
    """Return the module's own parameters, without those of its submodules."""
    originals = getattr(module, "parametrizations", nn.ModuleDict()).parameters()
    return [*module.parameters(recurse=False), *originals]


def blank_input(
    spec: Spec, conditional: bool, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor | None]:
    """Return blank images, and conditions for a conditional network."""
    images = torch.zeros(BLANK_IMAGES, *spec.shape, device=device, dtype=dtype)
    if not conditional:
        return images, None
    return images, require(spec.condition, "the data have no condition.").input_batch(BLANK_IMAGES, dtype).to(device)
