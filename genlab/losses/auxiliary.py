"""Penalties for discriminators that also predict classes or codes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log, pi
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn.functional import cross_entropy

from genlab.core.errors import ConfigError, require
from genlab.core.system_facts import SystemFacts
from genlab.core.types import NonNegative, Players
from genlab.losses.penalties import Penalty, Weight
from genlab.losses.turn import Turn
from genlab.models.contract import ClassifiesFeatures, GuessesCodes


@dataclass
class Auxiliary(Penalty):
    """Base of penalties that read a second head of the discriminator."""

    weight: Weight = 1.0
    on: Players = field(default_factory=lambda: ["discriminator", "generator"])

    needs_features: ClassVar[bool] = True
    head: ClassVar[type] = ClassifiesFeatures  # contract of a discriminator with that head
    models: ClassVar[str]  # models whose discriminators have it, for the error

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
            raise ConfigError("needs a generator that takes a class. Choose model=acgan, or leave the penalty out.")

    def __call__(self, turn: Turn) -> Tensor:
        costs = self.class_cross_entropy(turn, turn.fake_features, turn.fake_condition)
        if turn.player == "discriminator":
            costs = costs + self.class_cross_entropy(turn, turn.real_features, turn.condition)
        return self.strength(turn) * costs

    def class_cross_entropy(self, turn: Turn, features: Tensor, classes: Tensor | None) -> Tensor:
        discriminator: ClassifiesFeatures = turn.network
        logits = discriminator.classify(features)
        return cross_entropy(logits, require(classes, "needs classes."), reduction="none")


@dataclass
class Supervised(Auxiliary):
    """Salimans et al. 2016, section 5, L_supervised: minus log p(class | image) of a batch of labelled images."""

    on: Literal["discriminator"] = "discriminator"

    needs_features: ClassVar[bool] = False
    models: ClassVar[str] = "model=semi_supervised_gan"

    def __call__(self, turn: Turn) -> Tensor:
        images, classes = require(turn.draw_labelled, "needs labelled images.")()
        features = turn.network.features(turn.augment(images, "labelled"))
        return self.strength(turn) * cross_entropy(turn.network.classify(features), classes, reduction="none")


@dataclass
class MutualInformation(Auxiliary):
    """Chen et al. 2016, equation 5: minus a lower bound of I(codes; image) in nats, H(c) + log Q(c | image).

    Both players raise the bound: the discriminator's second head by guessing, the generator by showing. The curve
    `mutual_information` is the cost, minus the weighted bound; `information` is the bound.
    """

    categorical: NonNegative = 1.0  # share of the weight for categorical codes
    continuous: NonNegative = 1.0  # share for continuous codes: lower it where they drown the rest (section 6)
    last_bound: Tensor | None = field(init=False, default=None, repr=False)  # of the last call [N], unweighted

    head: ClassVar[type] = GuessesCodes
    models: ClassVar[str] = "model=infogan"

    def __call__(self, turn: Turn) -> Tensor:
        codes, guess = turn.network.law.split(turn.latents), turn.network.guess(turn.fake_features)
        categorical = categorical_information(codes.categorical, guess.categorical)
        continuous = continuous_information(codes.continuous, guess.mean, guess.log_deviation)
        self.last_bound = (categorical + continuous).detach()
        return -self.strength(turn) * (self.categorical * categorical + self.continuous * continuous)

    def watch(self, turn: Turn) -> dict[str, Tensor]:
        return {} if self.last_bound is None else {"information": self.last_bound}


def categorical_information(one_hots: Sequence[Tensor], logits: Sequence[Tensor]) -> Tensor | float:
    """Return log K + log Q(c | image) [N] of one-hot codes [N, K], summed over the codes; at most log K a code."""
    pairs = zip(one_hots, logits, strict=True)
    return sum(log(guess.shape[1]) + (code * guess.log_softmax(1)).sum(1) for code, guess in pairs)


def continuous_information(codes: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """Return log 2 + log Q(c | image) [N] of codes [N, K] in [-1, 1] under Gaussians, summed over the codes."""
    distance = (codes - mean) * (-log_deviation).exp()
    return (log(2) - log(2 * pi) / 2 - log_deviation - distance.square() / 2).sum(1)
