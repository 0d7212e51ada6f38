"""A score is a record: a number, and how exactly it was measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

MEASURED = ("value", "seed", "position")  # what was found, and in which run; all else is how it was found


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

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def unlike(a: Record, b: Record) -> list[str]:
    """Names of the fields in which two records were measured differently; empty if their values compare."""
    ways = [field.name for field in fields(Record) if field.name not in MEASURED]
    return [name for name in ways if getattr(a, name) != getattr(b, name)]
