"""Penalties on a pair of generators that translate between two kinds of pictures: Zhu et al. 2017 (CycleGAN)."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from genlab.core.errors import ConfigError, require
from genlab.core.system_facts import SystemFacts
from genlab.losses.penalties import Penalty, Weight, mean_of_values
from genlab.losses.turn import Turn


@dataclass
class TwoWay(Penalty):
    """Base of penalties on generators that translate both ways."""

    on: Literal["generator"] = "generator"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if system.translates != "both ways":
            raise ConfigError("needs a model that translates either way. Choose model=cyclegan, or leave it out.")


@dataclass
class CycleConsistency(TwoWay):
    """Equation 2: |F(G(x)) - x|, the mean over a picture's values; G translates pictures x, and F translates back."""

    weight: Weight = 10.0  # the paper's, section 4

    def __call__(self, turn: Turn) -> Tensor:
        translate_back = require(turn.translate_back, "needs a generator that translates back.")
        sources = require(turn.fake_condition, "needs source pictures.")
        return self.strength(turn) * mean_of_values((translate_back(turn.fake) - sources).abs())


@dataclass
class Identity(TwoWay):
    """Section 5.2: |G(y) - y| of real images y: G should leave them as they are, which keeps colours."""

    weight: Weight = 5.0  # the paper's: half of the cycle's

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        channels, taken = system.spec.channels, system.spec.require_source().channels
        if channels != taken:
            raise ConfigError(
                f"shows images of {channels} channels to a generator that takes pictures of {taken}. Leave it out: "
                "penalty=[cycle]."
            )

    def __call__(self, turn: Turn) -> Tensor:
        output = turn.generator(turn.noise(turn), turn.real)
        return self.strength(turn) * mean_of_values((output - turn.real).abs())
