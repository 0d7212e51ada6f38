"""Penalties on a player: each gives one number a sample, its weight included.

With `every=1` a penalty is part of the player's turn; with `every=k` it has a turn of its own after
every k-th one, k times as strong (lazy regularisation: Karras et al. 2020, section 3.1).
"""

# Annotations are evaluated here, not kept as strings: dataclasses in other files inherit these fields, and
# `genlab.build.instantiate` reads their types where the names would mean nothing.
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import relu

from genlab.core.errors import ConfigError
from genlab.core.schedule import Changing, at
from genlab.core.spec import Spec
from genlab.core.types import Count, NonNegative, Positive
from genlab.losses.turn import Turn

PlayerName = Literal["discriminator", "generator"]
Weight = Changing[NonNegative]


@dataclass
class Penalty:
    weight: Weight = 10.0
    every: Count = 1  # turns of the player
    on: PlayerName | list[PlayerName] = "discriminator"

    slopes: ClassVar[frozenset[str]] = frozenset()  # inputs that must carry gradients before the network runs
    per_sample_gradient: ClassVar[bool] = False  # batch normalisation blurs what it measures
    refuses_batch_norm: ClassVar[bool] = False  # ... so much that the paper forbids it
    bounds_slope: ClassVar[bool] = False  # holds the network near Lipschitz
    needs_float32: ClassVar[bool] = False  # under mixed precision too
    needs_features: ClassVar[bool] = False  # logits are then made from the features that it asks for
    needs_images: ClassVar[bool] = False  # has no meaning for points
    needs_condition: ClassVar[bool] = False  # asks the discriminator whether an image is what it is said to be
    needs_source: ClassVar[bool] = False  # compares what was made of a picture with the picture's partner
    needs_way_back: ClassVar[bool] = False  # asks a second generator for the picture that an image was made of
    compares_places: ClassVar[bool] = False  # of what the discriminator sees in an image and in its partner
    moves_images: ClassVar[bool] = False  # shows the discriminator images out of place
    head: ClassVar[str | None] = None  # a method that a network must have
    head_of: ClassVar[PlayerName] = "discriminator"  # which network
    models: ClassVar[str] = ""  # whose networks have it

    @property
    def players(self) -> tuple[str, ...]:
        """Whose turns it is part of."""
        return (self.on,) if isinstance(self.on, str) else tuple(self.on)

    def __call__(self, turn: Turn) -> Tensor:
        """[N]."""
        raise NotImplementedError

    def settle(self, spec: Spec, batch_size: int) -> None:
        """Called once before training: what follows from the data and the batch. Raises ConfigError if nothing can."""

    def strength(self, turn: Turn) -> float:
        """The weight at this turn."""
        return at(self.weight, turn.seen, turn.total)


def spread(value: Tensor, turn: Turn) -> Tensor:
    """One number of the whole micro-batch, as [N] whose mean it is."""
    return value.expand(turn.draws.stop - turn.draws.start)


def per_image(values: Tensor) -> Tensor:
    """[N]; what belongs to one image (a map of patches, pixels) counts as its mean."""
    return values.flatten(1).mean(1) if values.ndim > 1 else values


def slope(logits: Tensor, images: Tensor) -> Tensor:
    """The gradient of every sample's logits by its own image, flattened to [N, D]; differentiable."""
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.flatten(1)


@dataclass
class SlopePenalty(Penalty):
    """Bounds how fast the logits change with the images."""

    per_sample_gradient: ClassVar[bool] = True
    bounds_slope: ClassVar[bool] = True
    needs_float32: ClassVar[bool] = True  # differences of rounded activations are no slope


@dataclass
class GradientPenalty(SlopePenalty):
    """Gulrajani et al. 2017, equation 3: weight * (|slope| - target)^2 between real and generated images."""

    target: Positive = 1.0  # the norm, over all values of an image, that slopes are pulled to
    refuses_batch_norm: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        points = turn.augment(self.points(turn), "gradient_penalty").detach().requires_grad_()
        norm = slope(self.judge(turn, points), points).norm(dim=1)
        return self.strength(turn) * self.excess(norm).square()

    def points(self, turn: Turn) -> Tensor:
        epsilon = turn.draws.uniform("gradient_penalty", *[1] * (turn.real.ndim - 1))
        return epsilon * turn.real + (1 - epsilon) * turn.fake

    def judge(self, turn: Turn, points: Tensor) -> Tensor:
        """The function of images whose slope is bounded."""
        return turn.network(points, turn.condition)

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
class Drift(Penalty):
    """Karras et al. 2018, appendix A.1: weight * D(real)^2, lest a critic that knows no zero drift away."""

    weight: Weight = 0.001  # theirs

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * turn.per_image(turn.real_logits.square())


@dataclass
class R1(SlopePenalty):
    """Mescheder et al. 2018, equation 9: weight / 2 * |slope at real images|^2.

    With weight auto it is factor * pixels of an image / batch: Karras et al. 2020 (ADA).
    """

    weight: Weight | Literal["auto"] = 10.0
    factor: Positive = field(default=2e-4, repr=False)  # of auto: StyleGAN2's

    slopes: ClassVar[frozenset[str]] = frozenset({"real"})

    def settle(self, spec: Spec, batch_size: int) -> None:
        if self.weight != "auto":
            return
        if spec.height is None:
            raise ConfigError("penalty.r1.weight=auto counts pixels, and the data are points: penalty.r1.weight=1.")
        self.weight = self.factor * spec.height * spec.width / batch_size

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) / 2 * slope(turn.real_logits, turn.real).square().sum(1)


@dataclass
class R2(SlopePenalty):
    """Mescheder et al. 2018, equation 10: weight / 2 * |slope at generated images|^2."""

    slopes: ClassVar[frozenset[str]] = frozenset({"fake"})

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) / 2 * slope(turn.fake_logits, turn.fake).square().sum(1)
