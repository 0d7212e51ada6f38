"""Laws of latents: keep a latent within the distribution that it is drawn from while it is optimised."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.models.latent import Coded, Dealt, Normal, Uniform


class Law:
    """Uniform latents: clamped to [-1, 1]."""

    def prior(self, z: Tensor) -> Tensor:
        """Return the prior's term of the objective, [N]."""
        return torch.zeros(len(z), device=z.device, dtype=z.dtype)

    def constrain(self, z: Tensor, start: Tensor) -> Tensor:
        """Return z within its law, with a gradient where it may move; `start` is z as it was drawn."""
        return z.clamp(-1, 1)


class NormalLaw(Law):
    """Normal latents: unbounded, with -log N(z; 0, I) as prior, up to a constant and a factor."""

    def prior(self, z: Tensor) -> Tensor:
        return z.square().mean(1)

    def constrain(self, z: Tensor, start: Tensor) -> Tensor:
        return z


class CodedLaw(Law):
    """Latents with classes, which stay as drawn (more restarts try more classes); the rest is clamped to [-1, 1]."""

    def __init__(self, latent: Coded) -> None:
        self.first, self.last = latent.noise, latent.noise + sum(latent.categorical)

    def constrain(self, z: Tensor, start: Tensor) -> Tensor:
        moving = z.clamp(-1, 1)
        return torch.cat([moving[:, : self.first], start[:, self.first : self.last], moving[:, self.last :]], 1)


class DealtLaw(NormalLaw):
    """Latents with the index of a generator, which stays as drawn: more restarts try more generators."""

    def prior(self, z: Tensor) -> Tensor:
        return super().prior(z[:, :-1])

    def constrain(self, z: Tensor, start: Tensor) -> Tensor:
        return torch.cat([z[:, :-1], start[:, -1:]], 1)


@singledispatch
def law_of(latent: Any) -> Law:
    """Return the law of a latent. Raises ConfigError for latents that cannot move by small steps."""
    raise ConfigError(
        f"run: latents are {type(latent).__name__}, which no gradient reaches. Choose a run whose latents are normal "
        "or uniform; a model with an encoder needs no search: python -m genlab.sample mode=reconstruct."
    )


@law_of.register
def _(latent: Normal) -> Law:
    return NormalLaw()


@law_of.register
def _(latent: Uniform) -> Law:
    return Law()


@law_of.register
def _(latent: Coded) -> Law:
    return CodedLaw(latent)


@law_of.register
def _(latent: Dealt) -> Law:
    return DealtLaw()
