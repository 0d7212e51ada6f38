"""A number that changes while a run goes on: penalties' weights, half-lives and betas may be one."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

from genlab.core.types import Count, NonNegative, Share


@dataclass(frozen=True)
class Ramp:
    """From `start` to `end` along half a cosine, then `end`: Huang et al. 2024 (R3GAN) schedule so."""

    start: NonNegative
    end: NonNegative
    images: Count | None = None  # at which `end` is reached; null: the run's

    def __call__(self, seen: int, total: int) -> float:
        """After `seen` of the run's `total` images."""
        progress = min(1.0, seen / (self.images or total))
        return self.start + (self.end - self.start) * (1 - cos(pi * progress)) / 2


@dataclass(frozen=True)
class Step(Ramp):
    """`start`, and from a share of the run on (or from `images` on) `end`."""

    share: Share = 0.5

    def __call__(self, seen: int, total: int) -> float:
        return self.end if seen >= (self.images or self.share * total) else self.start


def at(number: float | Ramp, seen: int, total: int) -> float:
    """What a number, or one that changes, is after `seen` of `total` images."""
    return number(seen, total) if isinstance(number, Ramp) else number
