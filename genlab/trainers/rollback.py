"""Going back to an earlier state of a run, and on from there at lower learning rates."""

from __future__ import annotations

from typing import Any, NamedTuple

from genlab.core import distributed


class Target(NamedTuple):
    """What a run is asked to become."""

    parts: dict[str, Any]  # an earlier state of each part
    factor: float  # on the learning rates from then on


class Rollback:
    """Counts how often a run went back, and holds the state that it is asked to go back to next."""

    def __init__(self) -> None:
        self.count, self.rate_factor = 0, 1.0  # times gone back, and the factor on every learning rate since
        self.target: Target | None = None  # to be taken after this step

    def ask(self, parts: dict[str, Any], factor: float) -> None:
        """After this step let every rank go back to an earlier state of all parts, and on at `factor` times the rates.

        Until then no other callback hears of the state that is left: it is not saved.
        """
        self.target = Target(parts, factor)

    def take(self, parts: dict[str, Any]) -> None:
        """Load rank 0's target into the run's parts. The count and the factor outlive the older state."""
        target = distributed.from_main(self.target)
        count, rate_factor = self.count + 1, self.rate_factor * target.factor
        for name, part in parts.items():
            if name in target.parts:  # callbacks may have come since
                part.load_state_dict(target.parts[name])
        self.count, self.rate_factor, self.target = count, rate_factor, None

    def state_dict(self) -> dict[str, Any]:
        return {"rollbacks": self.count, "rate_factor": self.rate_factor}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.count, self.rate_factor = state.get("rollbacks", 0), state.get("rate_factor", 1.0)
