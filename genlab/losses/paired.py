"""Penalties that compare what was made of a picture with the picture's partner."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from genlab.losses.penalties import Penalty, Weight, per_image
from genlab.losses.turn import Turn


@dataclass
class L1(Penalty):
    """Isola et al. 2017, equation 3: |real - fake|, the mean over an image's values."""

    weight: Weight = 100.0  # theirs, section 6.2
    on: Literal["generator"] = "generator"

    needs_images: ClassVar[bool] = True
    needs_source: ClassVar[bool] = True

    def __call__(self, turn: Turn) -> Tensor:
        return self.strength(turn) * per_image((turn.real - turn.fake).abs())
