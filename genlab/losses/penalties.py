"""Penalties on a player: each gives one number a sample, its weight included.

With `every=1` a penalty is part of the player's turn; with `every=k` it has a turn of its own after
every k-th one, k times as strong (lazy regularisation: Karras et al. 2020, section 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import relu

from genlab.losses.turn import Turn
from genlab.types import Count, NonNegative, Positive


@dataclass
class Penalty:
    weight: NonNegative = 10.0
    every: Count = 1  # turns of the player
    on: Literal["discriminator"] = "discriminator"

    slopes: ClassVar[frozenset[str]] = frozenset()  # inputs that must carry gradients before the network runs
    per_sample_gradient: ClassVar[bool] = True  # batch normalisation blurs what it measures
    refuses_batch_norm: ClassVar[bool] = False  # ... so much that the paper forbids it
    bounds_slope: ClassVar[bool] = True  # holds the network near Lipschitz

    def __call__(self, turn: Turn) -> Tensor:
        """[N]."""
        raise NotImplementedError


def slope(logits: Tensor, images: Tensor) -> Tensor:
    """The gradient of every sample's logits by its own image, flattened to [N, D]; differentiable."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.flatten(1)


@dataclass
class GradientPenalty(Penalty):
    """Gulrajani et al. 2017, equation 3: weight * (|slope| - target)^2 between real and generated images."""

    target: Positive = 1.0  # the norm, over all values of an image, that slopes are pulled to
    refuses_batch_norm: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        points = self.points(turn).detach().requires_grad_()
        norm = slope(turn.network(points, turn.condition), points).norm(dim=1)
        return self.weight * self.excess(norm).square()

    def points(self, turn: Turn) -> Tensor:
        epsilon = turn.draws.uniform("gradient_penalty", *[1] * (turn.real.ndim - 1))
        return epsilon * turn.real + (1 - epsilon) * turn.fake

    def excess(self, norm: Tensor) -> Tensor:
        return norm - self.target


@dataclass
class OneSidedGradientPenalty(GradientPenalty):
    """Petzka et al. 2018, equation 8 (WGAN-LP): only slopes above the target cost."""

    def excess(self, norm: Tensor) -> Tensor:
        return relu(norm - self.target)


@dataclass
class Dragan(GradientPenalty):
    """Kodali et al. 2017, equation 7; the noise as in the authors' code: half the batch's deviation, uniform."""

    scale: NonNegative = 0.5  # of the real batch's standard deviation

    def points(self, turn: Turn) -> Tensor:
        real = turn.real
        noise = turn.draws.uniform("dragan_noise", *real.shape[1:])
        reach = turn.draws.uniform("dragan_reach", *[1] * (real.ndim - 1))
        return real + reach * self.scale * real.std() * noise


@dataclass
class R1(Penalty):
    """Mescheder et al. 2018, equation 9: weight / 2 * |slope at real images|^2."""

    slopes: ClassVar[frozenset[str]] = frozenset({"real"})

    def __call__(self, turn: Turn) -> Tensor:
        return self.weight / 2 * slope(turn.real_logits, turn.real).square().sum(1)


@dataclass
class R2(Penalty):
    """Mescheder et al. 2018, equation 10: weight / 2 * |slope at generated images|^2."""

    slopes: ClassVar[frozenset[str]] = frozenset({"fake"})

    def __call__(self, turn: Turn) -> Tensor:
        return self.weight / 2 * slope(turn.fake_logits, turn.fake).square().sum(1)
