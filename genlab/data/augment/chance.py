"""The random choice of the images that a change is applied to."""

from torch import Tensor

from genlab.core.random import Draws


def draw_masks(draws: Draws, purpose: str, count: int, chance: Tensor) -> tuple[Tensor, ...]:
    """Return a mask [N] of the images to change, for each of `count` changes; `chance` is a scalar on the device."""
    return (draws.uniform(f"{purpose}/happens", count) < chance).unbind(1)
