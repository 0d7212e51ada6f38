"""A sweep's jobs in one table, a row each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from genlab.reports import score_records as scores
from genlab.reports.run import Run, read
from genlab.reports.run_directories import by_number
from genlab.reports.tables import written

FILE = "job.json"  # in the directory of a job: {"overrides": [...], "state": ...}


def jobs_csv(sweep: Path) -> str | None:
    """None where no job has begun."""
    rows = [row(path) for path in jobs_of(sweep)]
    columns = ["job", "state", *own(rows, "overrides"), "best_metric", "best", "best_images", *own(rows, "scores")]
    flat = [one | one["overrides"] | one["scores"] for one in rows]
    return written([*columns, "images", "seconds", "note"], flat) if rows else None


def jobs_of(sweep: Path) -> list[Path]:
    return sorted((file.parent for file in sweep.rglob(FILE)), key=by_number)


def own(rows: list[dict[str, Any]], kind: str) -> list[str]:
    """The names of all rows, in order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row[kind]))


def row(path: Path) -> dict[str, Any]:
    """How a job ended, and the scores it ended with."""
    run, job = read(path), json.loads((path / FILE).read_text(encoding="utf-8"))
    best = run.best or {}
    return {
        "job": path.name,
        "state": job["state"],
        "overrides": dict(word.partition("=")[::2] for word in job["overrides"]),
        "scores": final(run),
        "best_metric": best.get("metric"),
        "best": best.get("value"),
        "best_images": best.get("images"),
        "images": run.images,
        "seconds": round(run.seconds, 3),
        "note": note(run),
    }


def final(run: Run) -> dict[str, float | None]:
    """The latest score of each metric in training; evaluations, which name their checkpoint, come after it."""
    trained = [record for record in run.records if "checkpoint" not in record]
    return {record["metric"]: scores.value_of(record) for record in scores.latest(trained).values()}


def note(run: Run) -> str:
    """Why it failed or ended early, on one line."""
    return " ".join((run.error or run.summary.get("stopped") or "").split())
