"""Published numbers as lines of JSON, for notebooks and scripts."""

import time
from pathlib import Path
from typing import Any

from genlab.core.json_files import append_lines, read_objects, to_line
from genlab.core.whole_files import write_atomically
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer

Row = dict[str, Any]


class JSONL(Callback):
    """Appends to `metrics.jsonl` in the run directory.

    Scalars: `{"images": 5000, "step": 79, "time": 1.25, "generator/adversarial": 0.69, ...}`; score records:
    `{"images": ..., "step": ..., "time": ..., "record": {...}}`. `time` is in seconds of training, over all
    restarts. Numbers that are not finite become null.

    A run that is resumed, or went back, first drops the lines after its position, and lines that are no rows: a
    killed process left half of one. A row that it then publishes once more at its position replaces the old one. What
    cannot be written, on a full disk for instance, is written with the next line.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._began = 0.0
        self._unwritten = ""  # lines
        self._repeatable: list[Row] = []  # those at the position that the run goes on from

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
        self._drop_older(path, row)
        self._unwritten += to_line(row)
        append_lines(path, self._unwritten)
        self._unwritten = ""

    def _prepare(self, trainer: Trainer) -> Path:
        """Keep the lines up to the position that the run resumes from, none for a new run. Return the file."""
        if self._path is None:
            path, position = trainer.run_dir / "metrics.jsonl", trainer.resumed_from
            kept = [row for row in read_rows(path) if row["images"] <= position] if position else []
            write_rows(path, kept)
            self._path, self._repeatable = path, [row for row in kept if row["images"] == position]
            self._began = time.monotonic() - (kept[-1].get("time", 0.0) if kept else 0.0)
        return self._path

    def _drop_older(self, path: Path, row: Row) -> None:
        """Drop the row that holds the same numbers of the same position, measured before the run was resumed."""
        older = [one for one in self._repeatable if same_numbers(one, row)][:1]
        if older:
            self._repeatable.remove(older[0])
            rows = read_rows(path)
            rows.remove(older[0])
            write_rows(path, rows)


def same_numbers(one: Row, other: Row) -> bool:
    """Return whether two rows hold numbers of the same names for the same position."""
    metrics = [row["record"].get("metric") if "record" in row else None for row in (one, other)]
    return one["images"] == other["images"] and one.keys() == other.keys() and metrics[0] == metrics[1]


def write_rows(path: Path, rows: list[Row]) -> None:
    write_atomically(path, "".join(map(to_line, rows)).encode())


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a `metrics.jsonl`; none without a file. Lines that are no rows are left out."""
    return [row for row in read_objects(path) if isinstance(row.get("images"), int)]
