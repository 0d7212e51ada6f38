"""One run, as its directory tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from genlab.core.renamed_paths import rename_targets
from genlab.reports.run_files import Reader, number, whole
from genlab.reports.run_pictures import Series, series_of

MARKS = ("config.yaml", "metrics.jsonl", "summary.json", "environment.json", "error.txt")  # one of them makes a run
DATE = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")


class Status(NamedTuple):
    kind: str  # complete, stopped, unfinished, failed, empty
    words: str


@dataclass(frozen=True)
class Run:
    path: Path
    config: dict[str, Any]
    summary: dict[str, Any]
    environments: dict[str, dict[str, Any]]  # of the first start and of each resumption, by file name
    rows: list[dict[str, Any]]  # published numbers, each with `images`, `step` and `time`
    records: list[dict[str, Any]]  # scores, in the order in which they were measured
    series: list[Series]  # of pictures
    error: str | None  # what a failed job of a sweep left
    problems: tuple[str, ...]  # files that could not be read

    @property
    def seed(self) -> Any:
        return self.config.get("seed")

    @property
    def title(self) -> str:
        """As in a sentence: the last two parts of the path where the last one is a date."""
        name = self.path.name
        return f"{self.path.parent.name}/{name}" if DATE.fullmatch(name) else name

    @property
    def label(self) -> str:
        """What was trained, without the number of a job, the date or the seed."""
        name = self.path.parent.name if DATE.fullmatch(self.path.name) else self.path.name
        return re.sub(r"^\d+-|-\d+$", "", name) or name

    @cached_property
    def images(self) -> int:
        """Shown in training as far as the files tell."""
        rows, records = (row.get("images") for row in self.rows), (record.get("position") for record in self.records)
        return max(map(whole, (*rows, *records, self.summary.get("images"))))

    @property
    def total(self) -> int:
        trainer = self.config.get("trainer")
        return whole(self.summary.get("total_images")) or whole(trainer.get("images") if _is(trainer) else 0)

    @property
    def seconds(self) -> float:
        times = [number(row.get("time")) or 0.0 for row in self.rows[-1:]]
        return max([number(self.summary.get("seconds")) or 0.0, *times])

    @property
    def health(self) -> list[dict[str, Any]]:
        """Warnings of the health monitor: `kind`, `message`, `images`."""
        found = self.summary.get("health")
        return [warning for warning in found if _is(warning)] if isinstance(found, list) else []

    @property
    def best(self) -> dict[str, Any] | None:
        best = self.summary.get("best")
        return best if _is(best) and number(best.get("value")) is not None and best.get("metric") else None

    @property
    def command(self) -> list[str]:
        """What was typed, without the program's path."""
        words = next(iter(self.environments.values()), {}).get("command")
        return [str(word) for word in words[1:]] if isinstance(words, list) else []

    @property
    def status(self) -> Status:
        """A summary that is older than the last numbers is one from before the run was resumed."""
        current = self.summary and whole(self.summary.get("images")) >= self.images
        if current and self.summary.get("complete"):
            return Status("complete", "Complete")
        if self.error is not None:
            return Status("failed", "Failed")
        if current and self.summary.get("stopped"):
            return Status("stopped", f"Stopped: {self.summary['stopped']}")
        if not (self.rows or self.records or self.series or self.summary):
            return Status("empty", "Empty: nothing was trained")
        if current:
            return Status("unfinished", "Unfinished: it was interrupted")
        return Status("unfinished", "Unfinished: it is running, or was killed")


def read(path: Path) -> Run:
    """The run in a directory, whatever state that is in."""
    reader = Reader(path)
    lines = reader.lines("metrics.jsonl")
    in_training = [line["record"] for line in lines if _is_record(line.get("record"))]
    later = [line for line in reader.lines("evaluations.jsonl") if _is_record(line)]
    return Run(
        path=path,
        config=rename_targets(reader.yaml("config.yaml")),
        summary=reader.json("summary.json"),
        environments={file: reader.json(file) for file in _environments(path)},
        rows=[line for line in lines if "record" not in line and number(line.get("images")) is not None],
        records=in_training + later,
        series=series_of(path),
        error=reader.text("error.txt"),
        problems=tuple(reader.problems),
    )


def _environments(path: Path) -> list[str]:
    return sorted((file.name for file in path.glob("environment*.json")), key=lambda name: (len(name), name))


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def _is_record(value: Any) -> bool:
    return _is(value) and isinstance(value.get("metric"), str)
