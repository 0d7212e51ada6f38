"""Rollback: a run returns to an earlier state, and goes on at lower learning rates."""

from typing import Any, NamedTuple

from genlab.core import distributed


class Target(NamedTuple):
    """The state to go back to."""

    parts: dict[str, Any]  # state of each part
    factor: float  # on learning rates from then on


class Rollback:
    """Counts how often a run went back, and holds the requested next target."""

    def __init__(self) -> None:
        self.count, self.rate_factor = 0, 1.0  # rollbacks, and the factor on every learning rate
        self.target: Target | None = None  # applied after this step

    def request(self, parts: dict[str, Any], factor: float) -> None:
        """Request that every rank goes back after this step, and on at `factor` times the learning rates.

        Until then no other callback is called: the abandoned state is not saved.
        """
        self.target = Target(parts, factor)

    def apply(self, parts: dict[str, Any]) -> None:
        """Load rank 0's target into the run's parts; count and factor are kept."""
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
