"""Records: a score is a number together with how exactly it was measured."""

from dataclasses import asdict, dataclass, fields
from typing import Any

# Fields of the result, the model and the judgement; all other fields say how the score was measured.
RESULT_FIELDS = ("value", "ema", "seed", "position", "higher_is_better", "own_data", "judges_run")


@dataclass(frozen=True)
class Record:
    metric: str
    value: float
    extractor: str
    extractor_hash: str  # of its weights and resize rule
    reference: str  # data set and split, as in mnist/test
    reference_hash: str  # of the split's pixels and labels
    images: int  # generated; 0: `settings` say what was measured instead
    reference_images: int
    resize: str  # how images reached the extractor's size
    ema: bool  # from the averaged generator? It is part of the model, not of the measurement
    seed: int  # of the noise
    position: int  # images shown in training when it was measured
    settings: str = ""  # of the metric itself
    higher_is_better: bool | None = None  # None: it does not judge the model, as the real images' own number
    own_data: bool = True  # False: the reference is no split of the data that the run was trained on
    judges_run: bool = False  # whether a run in which this number gets worse and worse is sick

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def differing_fields(a: Record, b: Record) -> list[str]:
    """Return the fields in which two measurements differ; [] if the values compare."""
    names = [field.name for field in fields(Record) if field.name not in RESULT_FIELDS]
    return [name for name in names if getattr(a, name) != getattr(b, name)]
