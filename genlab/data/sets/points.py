"""Points in the plane: toy data with known modes, so that those a generator misses can be counted."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genlab.core.condition import Classes
from genlab.core.errors import ConfigError
from genlab.core.random import generator
from genlab.core.types import Amount, NonNegative, Positive, Side, Whole
from genlab.data.dataset import InMemory, Split

HEADROOM = 1.25  # networks see the reach of the points as 1 / HEADROOM, which a tanh gives without saturating


class Modes(NamedTuple):
    """Gaussians of a mixture with equal weights and one standard deviation."""

    centres: Tensor  # float32 [K, D]
    std: float


class Points(InMemory, ABC):
    """Points float32 [N, 2] in their own units, drawn anew by each seed; `labels` int64 [N] if there are classes."""

    modes: Modes | None = None
    classes: int | None = None

    def __init__(
        self,
        name: str,
        reach: Positive,  # largest absolute coordinate, but for rare noise
        *,
        points: Amount = 100_000,  # to train on: as many as Lin et al. 2018 (PacGAN), section 4.1
        test_points: Amount = 10_000,
        seed: Whole = 0,  # for drawing the points
    ) -> None:
        train = self.draw(points, generator(seed, name, "train"))
        test = self.draw(test_points, generator(seed, name, "test"))
        condition = Classes(self.classes) if self.classes else None
        super().__init__(train, test=test, scale=HEADROOM * reach, condition=condition, name=name)

    @abstractmethod
    def draw(self, count: int, source: torch.Generator) -> Split:
        """Draw independent points."""


class Blobs(Points):
    """Gaussians of equal weight at given centres; a point's label is the Gaussian it was drawn from.

    Raises ConfigError unless centres are a list of points of one size.
    """

    def __init__(
        self,
        centres: Sequence[Sequence[float]],
        std: Positive,
        *,
        name: str = "blobs",  # in records
        **shared: Any,  # arguments of Points
    ) -> None:
        if len({len(centre) for centre in centres}) != 1 or not centres[0]:
            raise ConfigError(f"data.centres={centres}: expected a list of points, as in [[-1, 0], [1, 0]].")
        self.modes = Modes(torch.tensor(centres, dtype=torch.float32), std)
        self.classes = len(centres)
        super().__init__(name, self.modes.centres.abs().max().item() + 3 * std, **shared)

    def draw(self, count: int, source: torch.Generator) -> Split:
        centres, std = self.modes
        labels = torch.randint(len(centres), (count,), generator=source)
        return Split(centres[labels] + std * torch.randn(count, centres.shape[1], generator=source), labels)


class Ring(Blobs):
    """Gaussians evenly on a circle, as in Srivastava et al. 2017 (VEEGAN), section 4.1; the first is at (radius, 0)."""

    def __init__(
        self,
        modes: Amount = 8,
        *,
        radius: Positive = 2.0,
        std: Positive = 0.02,
        **shared: Any,  # arguments of Points
    ) -> None:
        angles = [2 * math.pi * mode / modes for mode in range(modes)]
        centres = [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]
        super().__init__(centres, std, **{"name": f"ring{modes}", **shared})


class Square(Blobs):
    """Gaussians on a square grid about the origin: VEEGAN's and PacGAN's `2D grid`, row by row from below."""

    def __init__(
        self,
        side: Side = 5,  # Gaussians along each axis
        *,
        spacing: Positive = 2.0,
        std: Positive = 0.05,
        **shared: Any,  # arguments of Points
    ) -> None:
        places = [spacing * (index - (side - 1) / 2) for index in range(side)]
        super().__init__([(x, y) for y in places for x in places], std, **{"name": f"grid{side**2}", **shared})


class SwissRoll(Points):
    """A spiral of one and a half turns: scikit-learn's, seen from the side and divided by 7.5.

    The toy experiments of Gulrajani et al. 2017 (figure 1) use it, with the same noise.
    """

    def __init__(
        self,
        noise: NonNegative = 0.25 / 7.5,  # standard deviation
        **shared: Any,  # arguments of Points
    ) -> None:
        self.noise = noise
        super().__init__("swiss_roll", 4.5 * math.pi / 7.5 + 3 * noise, **shared)

    def draw(self, count: int, source: torch.Generator) -> Split:
        angle = 1.5 * math.pi * (1 + 2 * torch.rand(count, generator=source))
        spiral = angle.unsqueeze(1) * torch.stack([angle.cos(), angle.sin()], 1) / 7.5
        return Split(spiral + self.noise * torch.randn(count, 2, generator=source))


class TwoMoons(Points):
    """Two interlocking half circles: scikit-learn's, moved to the origin; the label is the moon."""

    classes = 2

    def __init__(
        self,
        noise: NonNegative = 0.05,  # standard deviation
        **shared: Any,  # arguments of Points
    ) -> None:
        self.noise = noise
        super().__init__("two_moons", 1.5 + 3 * noise, **shared)

    def draw(self, count: int, source: torch.Generator) -> Split:
        lower = torch.randint(2, (count,), generator=source)
        angle = math.pi * torch.rand(count, generator=source)
        upper_moon = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], 1)
        points = torch.where(lower.unsqueeze(1) == 1, -upper_moon, upper_moon)
        return Split(points + self.noise * torch.randn(count, 2, generator=source), lower)
