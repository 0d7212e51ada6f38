"""What `genlab.run` returns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import genlab

if TYPE_CHECKING:
    from genlab.sampling import Loaded


class Result(float):
    """A finished run: its directory, its scores, and `load()` for its samples.

    As a number it is the best score of the first metric, nan without scores, so that results can be compared, sorted
    and printed as scores.
    """

    run_dir: Path
    scores: dict[str, float]  # newest value of every number that was measured, by name
    trust: Sequence[str]  # code of the user's own that the run is made of

    def __new__(
        cls, best: float | None, *, run_dir: Path, scores: dict[str, float] | None = None, trust: Sequence[str] = ()
    ) -> Result:
        made = super().__new__(cls, math.nan if best is None else best)
        made.run_dir, made.scores, made.trust = run_dir, scores or {}, trust
        return made

    @property
    def score(self) -> float | None:
        """Return the best score of the first metric; None if nothing was scored."""
        return None if math.isnan(self) else float(self)

    def load(self, **options: Any) -> Loaded:
        """Open the run to sample and encode; `options` are those of `genlab.load`, such as checkpoint="best"."""
        return genlab.load(self.run_dir, **{"trust": self.trust} | options)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}={value:.4g}" for name, value in self.scores.items())
        return f"<run in {self.run_dir}: {scores or 'no scores'}>"

    def __getnewargs_ex__(self) -> tuple[tuple, dict[str, Any]]:
        return (self.score,), {"run_dir": self.run_dir, "scores": self.scores, "trust": self.trust}
