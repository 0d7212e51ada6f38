"""A run as its directory records it: config, numbers, scores, pictures and how it ended."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from genlab.core.renamed_paths import rename_targets
from genlab.reports.run_files import Reader, finite_number, to_count
from genlab.reports.run_pictures import Series, find_series

RUN_MARKERS = ("config.yaml", "metrics.jsonl", "summary.json", "environment.json", "error.txt")  # a run has one of them
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")


class Status(NamedTuple):
    kind: str  # complete, stopped, unfinished, failed, empty
    words: str


@dataclass(frozen=True)
class Run:
    path: Path
    config: dict[str, Any]
    summary: dict[str, Any]
    environments: dict[str, dict[str, Any]]  # by file name: of the first start, and of each resumption
    rows: list[dict[str, Any]]  # published numbers, each with `images`, `step` and `time`
    records: list[dict[str, Any]]  # scores, in the order in which they were measured
    series: list[Series]  # of pictures
    error: str | None  # the message that a failed job of a sweep left
    problems: tuple[str, ...]  # files that could not be read

    @property
    def seed(self) -> Any:
        return self.config.get("seed")

    @property
    def title(self) -> str:
        """Return the directory's name, with its parent's if it is a date."""
        name = self.path.name
        return f"{self.path.parent.name}/{name}" if DATE_TIME.fullmatch(name) else name

    @property
    def label(self) -> str:
        """Return what was trained: the directory's name without a job's number, date and seed."""
        name = self.path.parent.name if DATE_TIME.fullmatch(self.path.name) else self.path.name
        return re.sub(r"^\d+-|-\d+$", "", name) or name

    @cached_property
    def images(self) -> int:
        """Return the images shown in training, as far as the files record it."""
        rows, records = (row.get("images") for row in self.rows), (record.get("position") for record in self.records)
        return max(map(to_count, (*rows, *records, self.summary.get("images"))))

    @property
    def total(self) -> int:
        trainer = self.config.get("trainer")
        return to_count(self.summary.get("total_images")) or to_count(trainer.get("images") if _is_dict(trainer) else 0)

    @property
    def seconds(self) -> float:
        times = [finite_number(row.get("time")) or 0.0 for row in self.rows[-1:]]
        return max([finite_number(self.summary.get("seconds")) or 0.0, *times])

    @property
    def health(self) -> list[dict[str, Any]]:
        """Return the health monitor's warnings, each with `kind`, `message` and `images`."""
        found = self.summary.get("health")
        return [warning for warning in found if _is_dict(warning)] if isinstance(found, list) else []

    @property
    def best(self) -> dict[str, Any] | None:
        best = self.summary.get("best")
        return best if _is_dict(best) and finite_number(best.get("value")) is not None and best.get("metric") else None

    @property
    def command(self) -> list[str]:
        """Return the words typed on the command line, without the program's path."""
        words = next(iter(self.environments.values()), {}).get("command")
        return [str(word) for word in words[1:]] if isinstance(words, list) else []

    @property
    def status(self) -> Status:
        """Return how the run ended. A summary older than the last numbers was written before the run was resumed."""
        current = self.summary and to_count(self.summary.get("images")) >= self.images
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


def read_run(path: Path) -> Run:
    """Read the run in a directory, whatever state it is in."""
    reader = Reader(path)
    lines = reader.lines("metrics.jsonl")
    in_training = [line["record"] for line in lines if _is_record(line.get("record"))]
    later = [line for line in reader.lines("evaluations.jsonl") if _is_record(line)]
    return Run(
        path=path,
        config=rename_targets(reader.yaml("config.yaml")),
        summary=reader.json("summary.json"),
        environments={file: reader.json(file) for file in _environment_files(path)},
        rows=[line for line in lines if "record" not in line and finite_number(line.get("images")) is not None],
        records=in_training + later,
        series=find_series(path),
        error=reader.text("error.txt"),
        problems=tuple(reader.problems),
    )


def _environment_files(path: Path) -> list[str]:
    return sorted((file.name for file in path.glob("environment*.json")), key=lambda name: (len(name), name))


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _is_record(value: Any) -> bool:
    return _is_dict(value) and isinstance(value.get("metric"), str)
