"""A score is a record: a number, and how exactly it was measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

# What was found, in which run, and what to make of it; all else is how it was found.
MEASURED = ("value", "seed", "position", "higher_is_better", "judges_run")


@dataclass(frozen=True)
class Record:
    metric: str
    value: float
    extractor: str
    extractor_hash: str  # of its weights and resize rule
    reference: str  # data set and split, as in mnist/test
    reference_hash: str  # of the split's pixels and labels
    images: int  # of the fixed stream; 0: `settings` say what the metric looked at
    reference_images: int
    resize: str  # how images reached the extractor's size
    ema: bool  # from the averaged generator?
    seed: int  # of the noise
    position: int  # images seen in training when it was measured
    settings: str = ""  # of the metric itself
    higher_is_better: bool | None = None  # None: older records do not say
    judges_run: bool = False  # whether a run in which this number gets worse and worse is sick

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def unlike(a: Record, b: Record) -> list[str]:
    """Names of the fields in which two records were measured differently; empty if their values compare."""
    ways = [field.name for field in fields(Record) if field.name not in MEASURED]
    return [name for name in ways if getattr(a, name) != getattr(b, name)]
