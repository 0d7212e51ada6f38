"""Which images a change happens to."""

from __future__ import annotations

from torch import Tensor

from genlab.core.random import Draws


def happen(draws: Draws, purpose: str, count: int, chance: Tensor) -> tuple[Tensor, ...]:
    """For each of `count` changes, whether it happens [N]; `chance` is a number on the device."""
    return (draws.uniform(f"{purpose}/happens", count) < chance).unbind(1)
