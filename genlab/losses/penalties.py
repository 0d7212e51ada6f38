"""Penalties on a player: each returns one number a sample, its weight included.

With `every=1` a penalty is part of the player's turn. With `every=k` it has a turn of its own after
every k-th one, k times as strong (lazy regularisation: Karras et al. 2020, section 3.1).
"""

# Annotations are no strings here: dataclasses in other files inherit these fields, and `genlab.build.instantiate`
# reads their types where the names would mean nothing.
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal, TypeAlias

from torch import Tensor
from torch.nn.functional import relu

from genlab.core.errors import ConfigError
from genlab.core.schedule import Changing, Schedule, value_at
from genlab.core.spec import Spec
from genlab.core.system_facts import SystemFacts
from genlab.core.types import Count, NonNegative, Players, Positive
from genlab.losses.turn import Turn
from genlab.models.contract import HasFeatures

Weight: TypeAlias = Changing[NonNegative]


@dataclass
class Penalty:
    """A term of a player's loss: a `Turn` in, one number an image out, [N], times `strength(turn)`.

    A player with patch logits has them weighted and averaged by `turn.per_image`.
    """

    weight: Weight = 10.0
    every: Count = 1  # turns of the player
    on: Players = "discriminator"

    slopes: ClassVar[frozenset[str]] = frozenset()  # inputs that must carry gradients before the network runs
    per_sample_gradient: ClassVar[bool] = False  # batch normalisation would mix the gradients of images
    bounds_slope: ClassVar[bool] = False  # holds the network near Lipschitz
    needs_float32: ClassVar[bool] = False  # under mixed precision too
    needs_features: ClassVar[bool] = False  # reads features, from which logits are then made too

    @property
    def players(self) -> tuple[str, ...]:
        """Return the names of the players whose turns it is part of."""
        return (self.on,) if isinstance(self.on, str) else tuple(self.on)

    def __call__(self, turn: Turn) -> Tensor:
        """Return the weighted term of each sample, [N]."""
        raise NotImplementedError

    def watch(self, turn: Turn) -> dict[str, Tensor]:
        """Return numbers of the last call that are published and not minimised."""
        return {}

    def refuse(self, system: SystemFacts) -> None:
        """Raise ConfigError for a system that the penalty cannot serve, with the reason and a way out.

        A penalty that needs more than its players calls this first, then checks the rest.
        """
        for player in self.players:
            system.require_player(player)
        if self.needs_features:
            system.require_network("discriminator", HasFeatures)

    def settle(self, spec: Spec, batch_size: int) -> None:
        """Set what depends on the data and the batch size. Called once before training."""

    def strength(self, turn: Turn) -> float:
        """Return the weight at this turn."""
        return value_at(self.weight, turn.images_seen, turn.total_images)


def expand_to_batch(value: Tensor, turn: Turn) -> Tensor:
    """Expand a number of the whole micro-batch to [N], which has that number as its mean."""
    return value.expand(turn.draws.stop - turn.draws.start)


def mean_of_values(values: Tensor) -> Tensor:
    """Average pixels or features [N, ...] over each image: [N]. Logits have weights: `Turn.per_image`."""
    return values.flatten(1).mean(1) if values.ndim > 1 else values


@dataclass
class SlopePenalty(Penalty):
    """Base of penalties that bound how fast the logits change with the images."""

    per_sample_gradient: ClassVar[bool] = True
    bounds_slope: ClassVar[bool] = True
    needs_float32: ClassVar[bool] = True  # differences of rounded activations are no slope


@dataclass
class GradientPenalty(SlopePenalty):
    """Gulrajani et al. 2017, equation 3: weight * (|slope| - target)^2 between real and generated images."""

    on: Literal["discriminator"] = "discriminator"
    target: Positive = 1.0  # the norm, over all values of an image, that slopes are pulled to

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if "discriminator" in system.batch_normalised:
            raise ConfigError(
                "with batch normalisation in the discriminator: the penalty bounds each image's own slope, which batch "
                "normalisation mixes (Gulrajani et al. 2017, section 4). Set model.discriminator.norm=layer (or "
                "instance, none)."
            )
        if system.clip_weights is not None:
            raise ConfigError(
                f"with trainer.clip_weights={system.clip_weights}: both hold the critic Lipschitz, and clipped weights "
                "cannot reach the penalty's target. Set trainer.clip_weights=null, or leave the penalty out."
            )

    def __call__(self, turn: Turn) -> Tensor:
        points = turn.augment(self.points(turn), "gradient_penalty").detach().requires_grad_()
        norm = turn.slope(self.critic_output(turn, points), points).norm(dim=1)
        return self.strength(turn) * self.excess(norm).square()

    def points(self, turn: Turn) -> Tensor:
        epsilon = turn.draws.uniform("gradient_penalty", *[1] * (turn.real.ndim - 1))
        return epsilon * turn.real + (1 - epsilon) * turn.fake

    def critic_output(self, turn: Turn, points: Tensor) -> Tensor:
        """Return the critic's output at these images; the penalty bounds its slope."""
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
    """Karras et al. 2018, appendix A.1: weight * D(real)^2, which keeps logits from drifting away from 0."""

    weight: Weight = 0.001  # the paper's
    on: Literal["discriminator"] = "discriminator"

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * turn.per_image(turn.real_logits.square())


@dataclass(frozen=True)
class AutoWeight(Schedule):
    """Stands for factor * pixels of an image / batch size until `settle` knows the data and the batch size."""

    factor: Positive


@dataclass(init=False)
class R1(SlopePenalty):
    """Mescheder et al. 2018, equation 9: weight / 2 * |slope at real images|^2, the weight being their gamma.

    Code that multiplies the squared slope by 10 has a gamma of 20. Weight auto is factor * pixels of an image / batch
    size: Karras et al. 2020 (ADA).
    """

    slopes: ClassVar[frozenset[str]] = frozenset({"real"})

    def __init__(
        self,
        weight: Weight | Literal["auto"] = 10.0,
        every: Count = 1,
        on: Literal["discriminator"] = "discriminator",
        factor: Positive = 2e-4,  # for weight auto: StyleGAN2's
    ) -> None:
        super().__init__(AutoWeight(factor) if isinstance(weight, str) else weight, every, on)

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if isinstance(self.weight, AutoWeight):
            system.require_images()

    def settle(self, spec: Spec, batch_size: int) -> None:
        if isinstance(self.weight, AutoWeight):
            self.weight = prod(spec.shape[1:], start=self.weight.factor) / batch_size

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) / 2 * turn.slope(turn.real_logits, turn.real).square().sum(1)


@dataclass
class R2(SlopePenalty):
    """Mescheder et al. 2018, equation 10: weight / 2 * |slope at generated images|^2, the weight being their gamma."""

    slopes: ClassVar[frozenset[str]] = frozenset({"fake"})

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) / 2 * turn.slope(turn.fake_logits, turn.fake).square().sum(1)
