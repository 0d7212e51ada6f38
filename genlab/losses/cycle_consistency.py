"""Penalties on two generators that translate either kind of pictures into the other: Zhu et al. 2017 (CycleGAN)."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.system import SystemFacts
from genlab.losses.penalties import Penalty, Weight, mean_of_values
from genlab.losses.turn import Turn


@dataclass
class TwoWay(Penalty):
    """On generators that translate either way."""

    on: Literal["generator"] = "generator"

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        if system.translates != "both ways":
            raise ConfigError("needs a model that translates either way. Choose model=cyclegan, or leave it out.")


@dataclass
class CycleConsistency(TwoWay):
    """Equation 2: |F(G(x)) - x|, the mean over a picture's values; G makes images of pictures x, and F x of them."""

    weight: Weight = 10.0  # theirs, section 4

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * mean_of_values((turn.way_back(turn.fake) - turn.fake_condition).abs())


@dataclass
class Identity(TwoWay):
    """Section 5.2: |G(y) - y| of real images y, which G is to leave as they are: it keeps colours."""

    weight: Weight = 5.0  # theirs: half of the cycle's

    def refuse(self, system: SystemFacts) -> None:
        super().refuse(system)
        channels, taken = system.spec.channels, system.spec.require_source().channels
        if channels != taken:
            raise ConfigError(
                f"shows images of {channels} channels to a generator that takes pictures of {taken}. Leave it out: "
                "penalty=[cycle]."
            )

    def __call__(self, turn: Turn) -> Tensor:
        kept = turn.generator(turn.noise(turn), turn.real)
        return self.strength(turn) * mean_of_values((kept - turn.real).abs())
