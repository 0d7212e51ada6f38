"""The matrices that a generator multiplies its latents, or each layer's style, with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized


class Affine(NamedTuple):
    """What a layer makes of a vector: matrix @ vector + constant."""

    number: int  # of the vector
    matrix: Tensor  # [outputs, D]


@torch.no_grad()
def affines(network: nn.Module, run: Callable[[Tensor], object], marks: Tensor) -> list[Affine]:
    """Of all layers that take one of the vectors `marks` [K, D], which `run(marks)` shows to the network in one image.

    A layer is known by what it is fed, so that no network need say which of its layers they are, and its matrix is
    what it answers to unit vectors, whatever scales its weights. What follows the vector, such as a class, is 0.
    """
    found: list[Affine] = []

    def look(layer: nn.Module, inputs: tuple) -> None:
        number = which(inputs[0], marks) if inputs else None
        if number is not None:
            found.append(Affine(number, answers(layer, inputs[0], marks.shape[1])))

    hooks = [layer.register_forward_pre_hook(look) for layer in network.modules() if is_plain(layer)]
    try:
        run(marks)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def is_plain(layer: nn.Module) -> bool:
    """With weights, and no layers within."""
    return any(True for _ in layer.parameters()) and (is_parametrized(layer) or not any(True for _ in layer.children()))


def which(fed: Tensor, marks: Tensor) -> int | None:
    """The number of the mark that what a layer is fed begins with, up to rounding."""
    size = marks.shape[1]
    if not fed.is_floating_point() or len(fed) != 1 or fed[0].numel() < size:
        return None
    matches = torch.isclose(fed.flatten()[:size], marks, rtol=1e-3, atol=1e-5).all(1).nonzero()
    return matches[0].item() if len(matches) else None


def answers(layer: nn.Module, like: Tensor, size: int) -> Tensor:
    """[outputs, size]."""
    units = like.new_zeros(1 + size, *like.shape[1:])
    units.view(1 + size, -1)[1:, :size] = torch.eye(size)
    constant, *columns = layer.forward(units).flatten(1)  # not by a call, which would look again
    return torch.stack(columns, 1) - constant[:, None]
