"""Numbers that change while a run goes on.

Wherever a key takes `Changing[...]` (n_critic, a penalty's weight, a half-life, a beta, ...) it may be given as a
number, as a staircase `{from_image: value}` such as `{0: 5, 200000: 1}`, or as a schedule by its `_target_`.
"""

from dataclasses import dataclass
from math import cos, pi
from typing import Annotated, Any, TypeAlias, TypeVar

from annotated_types import MinLen

from genlab.core.types import Count, NonNegative, Share, Whole

Number = TypeVar("Number")


class Schedule:
    """A number that is a function of the images seen."""

    def __call__(self, seen: int, total: int) -> float:
        """Return the number after `seen` of the run's `total` images."""
        raise NotImplementedError


Staircase: TypeAlias = Annotated[dict[Whole, Number], MinLen(1)]
Changing: TypeAlias = Number | Staircase[Number] | Schedule  # `Changing[Count]`: a count, or one that changes


@dataclass(frozen=True)
class Line(Schedule):
    """A straight line from `start` to `end`, then constant."""

    start: NonNegative
    end: NonNegative
    images: Count | None = None  # when `end` is reached; null: the whole run

    def __call__(self, seen: int, total: int) -> float:
        return self.start + (self.end - self.start) * self.share_of_way(min(1.0, seen / (self.images or total)))

    def share_of_way(self, progress: float) -> float:
        """Return how much of the change is done, from 0 at progress 0 to 1 at progress 1."""
        return progress


@dataclass(frozen=True)
class Ramp(Line):
    """Half a cosine from `start` to `end`, then constant: Huang et al. 2024 (R3GAN)."""

    def share_of_way(self, progress: float) -> float:
        return (1 - cos(pi * progress)) / 2


@dataclass(frozen=True)
class Step(Line):
    """A step from `start` to `end` after a share of the run, or after `images`."""

    share: Share = 0.5

    def __call__(self, seen: int, total: int) -> float:
        return self.end if seen >= (self.images or self.share * total) else self.start


def value_at(number: Any, seen: int, total: int) -> float:
    """Return the value of a constant or changing number after `seen` of `total` images."""
    if isinstance(number, (int, float)):
        return number
    return staircase(number, seen) if isinstance(number, dict) else number(seen, total)


def staircase(steps: dict[int, Number], position: int) -> Number:
    """Return the value of the last step that begins at or before a position, else of the first step."""
    reached = [start for start in steps if start <= position]
    return steps[max(reached, default=min(steps))]
