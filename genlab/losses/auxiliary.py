"""Penalties of discriminators that name more than real and fake: classes and codes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log, pi
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import cross_entropy

from genlab.core.errors import ConfigError
from genlab.core.system import SystemFacts
from genlab.core.types import NonNegative, PlayerName
from genlab.losses.penalties import Penalty, Weight
from genlab.losses.turn import Turn
from genlab.models.contract import ClassifiesFeatures, GuessesCodes


@dataclass
class Auxiliary(Penalty):
    """Reads a second head of the discriminator."""

    weight: Weight = 1.0
    on: list[PlayerName] = field(default_factory=lambda: ["discriminator", "generator"])

    needs_features: ClassVar[bool] = True
    head: ClassVar[type] = ClassifiesFeatures  # what a discriminator with that head offers
    models: ClassVar[str]  # whose discriminators have it

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        system.require_network("discriminator", self.head, f"Choose {self.models}, or leave the penalty out.")


@dataclass
class AuxiliaryClassification(Auxiliary):
    """Odena et al. 2017, equation 3: minus the log-likelihood of the class, of real and of generated images.

    Both players want generated images to be recognised; the discriminator, real ones too.
    """

    models: ClassVar[str] = "model=acgan"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if "generator" not in system.conditioned:
            raise ConfigError("needs a generator that is told a class. Choose model=acgan, or leave the penalty out.")

    def __call__(self, turn: Turn) -> Tensor:
        unlikely = self.surprise(turn, turn.fake_features, turn.fake_condition)
        if turn.player == "discriminator":
            unlikely = unlikely + self.surprise(turn, turn.real_features, turn.condition)
        return self.strength(turn) * unlikely

    def surprise(self, turn: Turn, features: Tensor, classes: Tensor) -> Tensor:
        return cross_entropy(turn.network.classify(features), classes, reduction="none")


@dataclass
class Supervised(Auxiliary):
    """Salimans et al. 2016, section 5, L_supervised: minus log p(class | image) of a batch of labelled images."""

    on: Literal["discriminator"] = "discriminator"

    needs_features: ClassVar[bool] = False
    models: ClassVar[str] = "model=semi_supervised_gan"

    def __call__(self, turn: Turn) -> Tensor:
        images, classes = turn.labelled()
        features = turn.network.features(turn.augment(images, "labelled"))
        return self.strength(turn) * cross_entropy(turn.network.classify(features), classes, reduction="none")


@dataclass
class MutualInformation(Auxiliary):
    """Chen et al. 2016, equation 5: minus a lower bound of I(codes; image) in nats, H(c) + log Q(c | image).

    Both players raise the bound: the discriminator's second head by guessing, the generator by showing.
    """

    categorical: NonNegative = 1.0  # share of the weight for categorical codes
    continuous: NonNegative = 1.0  # and for continuous ones: lower where they drown the rest (section 6)

    head: ClassVar[type] = GuessesCodes
    models: ClassVar[str] = "model=infogan"

    def __call__(self, turn: Turn) -> Tensor:
        codes, guess = turn.network.law.split(turn.latents), turn.network.guess(turn.fake_features)
        categorical = categorical_information(codes.categorical, guess.categorical)
        continuous = continuous_information(codes.continuous, guess.mean, guess.log_deviation)
        return -self.strength(turn) * (self.categorical * categorical + self.continuous * continuous)


def categorical_information(one_hots: Sequence[Tensor], logits: Sequence[Tensor]) -> Tensor | float:
    """[N]: log K + log Q(c | image) of [N, K] each, summed over the codes; at most log K a code."""
    pairs = zip(one_hots, logits, strict=True)
    return sum(log(guess.shape[1]) + (code * guess.log_softmax(1)).sum(1) for code, guess in pairs)


def continuous_information(codes: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """[N]: log 2 + log Q(c | image) of [N, K] codes, uniform in [-1, 1], under Gaussians, summed over the codes."""
    distance = (codes - mean) * (-log_deviation).exp()
    return (log(2) - log(2 * pi) / 2 - log_deviation - distance.square() / 2).sum(1)
