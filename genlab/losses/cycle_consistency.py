"""Penalties on two generators that translate either kind of pictures into the other: Zhu et al. 2017 (CycleGAN)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.losses.penalties import Penalty, Weight, per_image
from genlab.losses.turn import Turn


@dataclass
class CycleConsistency(Penalty):
    """Equation 2: |F(G(x)) - x|, the mean over a picture's values; G makes images of pictures x, and F x of them."""

    weight: Weight = 10.0  # theirs, section 4
    on: Literal["generator"] = "generator"

    needs_images: ClassVar[bool] = True
    needs_way_back: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * per_image((turn.way_back(turn.fake) - turn.fake_condition).abs())


@dataclass
class Identity(Penalty):
    """Section 5.2: |G(y) - y| of real images y, which G is to leave as they are: it keeps colours.

    Raises ConfigError where images and the pictures that they are made of have other channels.
    """

    weight: Weight = 5.0  # theirs: half of the cycle's
    on: Literal["generator"] = "generator"

    needs_images: ClassVar[bool] = True
    needs_way_back: ClassVar[bool] = True

    def settle(self, spec: Spec, batch_size: int) -> None:
        if spec.has_source and spec.require_source().channels != spec.channels:
            raise ConfigError(
                f"penalty=identity shows images of {spec.channels} channels to a generator that takes pictures of "
                f"{spec.require_source().channels}. Leave it out: penalty=[cycle]."
            )

    def __call__(self, turn: Turn) -> Tensor:
        kept = turn.generator(turn.noise(), turn.real)
        return self.strength(turn) * per_image((kept - turn.real).abs())
