"""Published numbers as lines of JSON, for notebooks and scripts."""

import json
import math
import time
from pathlib import Path
from typing import Any

from genlab.core.checkpoint import write_atomically
from genlab.core.errors import ConfigError
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer


class JSONL(Callback):
    """Appends to `metrics.jsonl` in the run directory.

    Scalars: `{"images": 5000, "step": 79, "time": 1.25, "generator/adversarial": 0.69, ...}`; score records:
    `{"images": ..., "step": ..., "time": ..., "record": {...}}`. `time` is in seconds of training, over all
    restarts. Numbers that are not finite become null.

    A run that is resumed, or went back, first drops the lines after its position, and a last line that a killed
    process left half-written. Raises ConfigError if any other line is not JSON.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._began = 0.0

    def start(self, trainer: Trainer) -> None:
        self._prepare(trainer)

    def after_rollback(self, trainer: Trainer) -> None:
        self._path = None
        self._prepare(trainer)

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        self._write(trainer, values)

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        self._write(trainer, {"record": record})

    def _write(self, trainer: Trainer, values: dict[str, Any]) -> None:
        path = self._path or self._prepare(trainer)
        seconds = round(time.monotonic() - self._began, 3)
        row = {"images": trainer.images, "step": trainer.step, "time": seconds, **values}
        with path.open("a", encoding="utf-8") as file:
            file.write(to_line(row))

    def _prepare(self, trainer: Trainer) -> Path:
        """Keep the lines up to the position that the run resumes from, none for a new run. Return the file."""
        if self._path is None:
            self._path = trainer.run_dir / "metrics.jsonl"
            rows = read_rows(self._path) if trainer.resumed_from else []
            kept = [row for row in rows if row["images"] <= trainer.resumed_from]
            write_atomically(self._path, "".join(map(to_line, kept)).encode())
            self._began = time.monotonic() - (kept[-1]["time"] if kept else 0.0)
        return self._path


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a `metrics.jsonl`; none without a file. Raises ConfigError if one is not JSON."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [_parse(path, number, line, last=number == len(lines)) for number, line in enumerate(lines, start=1)]
    return [row for row in rows if row is not None]


def _parse(path: Path, number: int, line: str, *, last: bool) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
        return {"images": row["images"], **row}
    except (ValueError, TypeError, KeyError) as error:
        if last:  # a killed process was writing it
            return None
        raise ConfigError(
            f"{path}, line {number}: found {line[:60]!r}, expected a JSON object with `images`. "
            "Delete that line, or move the file away, and resume again."
        ) from error


def to_line(row: dict[str, Any]) -> str:
    return json.dumps(replace_non_finite(row), allow_nan=False) + "\n"


def replace_non_finite(value: Any) -> Any:
    """Return `value` with None in place of every number that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [replace_non_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
