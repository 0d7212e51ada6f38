"""Numbers that change while a run goes on.

Wherever a key takes `Changing[...]` (n_critic, a penalty's weight, a half-life, a beta, ...) it may be given as a
number, as a staircase `{from_image: value}` such as `{0: 5, 200000: 1}`, or as a schedule by its `_target_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Any, TypeAlias, TypeVar

from genlab.core.types import Count, NonNegative, Share, Whole

Number = TypeVar("Number")


class Schedule:
    """A number as a function of the images seen."""

    def __call__(self, seen: int, total: int) -> float:
        """Return the number after `seen` of the run's `total` images."""
        raise NotImplementedError


Changing: TypeAlias = Number | dict[Whole, Number] | Schedule  # `Changing[Count]`: a count, or one that changes


@dataclass(frozen=True)
class Line(Schedule):
    """From `start` to `end` in a straight line, then `end`."""

    start: NonNegative
    end: NonNegative
    images: Count | None = None  # at which `end` is reached; null: the run's

    def __call__(self, seen: int, total: int) -> float:
        return self.start + (self.end - self.start) * self.risen(min(1.0, seen / (self.images or total)))

    def risen(self, progress: float) -> float:
        """Return the share of the way done, from 0 at progress 0 to 1 at progress 1."""
        return progress


@dataclass(frozen=True)
class Ramp(Line):
    """From `start` to `end` along half a cosine, then `end`: Huang et al. 2024 (R3GAN) schedule so."""

    def risen(self, progress: float) -> float:
        return (1 - cos(pi * progress)) / 2


@dataclass(frozen=True)
class Step(Line):
    """`start`, and from a share of the run on (or from `images` on) `end`."""

    share: Share = 0.5

    def __call__(self, seen: int, total: int) -> float:
        return self.end if seen >= (self.images or self.share * total) else self.start


def at(number: Any, seen: int, total: int) -> float:
    """Return what a number, or one that changes, is after `seen` of `total` images."""
    if isinstance(number, (int, float)):
        return number
    return staircase(number, seen) if isinstance(number, dict) else number(seen, total)


def staircase(steps: dict[int, Number], position: int) -> Number:
    """Return the value of the last step that begins at or before a position; before the first step, the first's."""
    reached = [start for start in steps if start <= position]
    return steps[max(reached, default=min(steps))]
