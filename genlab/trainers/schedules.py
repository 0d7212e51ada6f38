"""Schedules: factors on the learning rates, as functions of the images seen."""

from dataclasses import dataclass
from math import cos, pi

from genlab.core.schedule import Changing, Schedule, value_at
from genlab.core.types import Count, NonNegative, ProperShare, Share, Whole


@dataclass(frozen=True)
class Constant(Schedule):
    """Rises from 0 over `warmup` images, then stays 1."""

    warmup: Whole = 0  # images
    beta2: Changing[Share] | None = None  # Adam's second beta, if not the optimizer's own

    def __call__(self, seen: int, total: int) -> float:
        rise = min(1.0, (seen + 1) / self.warmup) if self.warmup else 1.0
        return rise * self.decay(seen, total)

    def second_beta(self, images: int, total: int) -> float | None:
        return None if self.beta2 is None else value_at(self.beta2, images, total)

    def decay(self, seen: int, total: int) -> float:
        return 1.0


@dataclass(frozen=True)
class Linear(Constant):
    """Falls in a straight line from 1 to `final`."""

    final: NonNegative = 0.0  # factor at the end
    begin: Whole = 0  # images before the fall
    hold: ProperShare = 0.0  # or share of the images before its end
    end: Count | None = None  # images at its end; null: the run's

    def decay(self, seen: int, total: int) -> float:
        last = self.end or total
        begin = max(self.begin, self.hold * last)
        progress = min(1.0, max(0.0, (seen - begin) / max(1, last - begin)))
        return self.final + (1 - self.final) * self.remaining_share(progress)

    def remaining_share(self, progress: float) -> float:
        """Return 1 at progress 0, falling to 0 at progress 1."""
        return 1 - progress


@dataclass(frozen=True)
class Cosine(Linear):
    """Falls along half a cosine from 1 to `final`: Loshchilov and Hutter 2017, equation 5, without restarts."""

    def remaining_share(self, progress: float) -> float:
        return (1 + cos(pi * progress)) / 2
