"""What keeps a latent within the law that it is drawn from, while it moves."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.models.latent import Coded, Dealt, Normal, Uniform


class Law:
    """Uniform in [-1, 1]: cut to that."""

    def prior(self, z: Tensor) -> Tensor:
        """[N], to be added to the loss with a weight."""
        return torch.zeros(len(z), device=z.device, dtype=z.dtype)

    def held(self, z: Tensor, start: Tensor) -> Tensor:
        """The latent that is meant, with a gradient where z may move; `start` is what z was drawn as."""
        return z.clamp(-1, 1)


class NormalLaw(Law):
    """-log N(z; 0, I) but for a constant and a factor, and no bounds."""

    def prior(self, z: Tensor) -> Tensor:
        return z.square().mean(1)

    def held(self, z: Tensor, start: Tensor) -> Tensor:
        return z


class CodedLaw(Law):
    """Classes stay as they were drawn, the rest is cut to [-1, 1]: more restarts try more classes."""

    def __init__(self, latent: Coded) -> None:
        self.first, self.last = latent.noise, latent.noise + sum(latent.categorical)

    def held(self, z: Tensor, start: Tensor) -> Tensor:
        moving = z.clamp(-1, 1)
        return torch.cat([moving[:, : self.first], start[:, self.first : self.last], moving[:, self.last :]], 1)


class DealtLaw(NormalLaw):
    """The generator stays the one that it was dealt to: more restarts try more generators."""

    def prior(self, z: Tensor) -> Tensor:
        return super().prior(z[:, :-1])

    def held(self, z: Tensor, start: Tensor) -> Tensor:
        return torch.cat([z[:, :-1], start[:, -1:]], 1)


@singledispatch
def law_of(latent: Any) -> Law:
    """Raises ConfigError for latents that cannot move by small steps."""
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
