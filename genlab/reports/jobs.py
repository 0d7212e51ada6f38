"""The table of a sweep: a row for each job, with its overrides, scores and state."""

from pathlib import Path
from typing import Any

from genlab.core.json_files import read_object
from genlab.reports.run import Run, read_run
from genlab.reports.run_directories import number_sort_key
from genlab.reports.score_records import latest_records, score_value
from genlab.reports.tables import format_csv

JOB_FILE = "job.json"  # in the directory of a job: {"overrides": [...], "state": ...}


def jobs_csv(sweep: Path) -> str | None:
    """Return the table as CSV; None if no job has begun."""
    rows = [job_row(path) for path in sorted((file.parent for file in sweep.rglob(JOB_FILE)), key=number_sort_key)]
    overrides, scores = names_in(rows, "overrides"), names_in(rows, "scores")
    columns = ["job", "state", *overrides, "best_metric", "best", "best_images", *scores, "images", "seconds", "note"]
    flat = [one | one["overrides"] | one["scores"] for one in rows]
    return format_csv(columns, flat) if rows else None


def names_in(rows: list[dict[str, Any]], kind: str) -> list[str]:
    """Return the names in the dicts `row[kind]` of all rows, in order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row[kind]))


def job_row(path: Path) -> dict[str, Any]:
    """Return how a job ended, and the scores it ended with."""
    run, job = read_run(path), {"state": "unknown", "overrides": []} | read_object(path / JOB_FILE)
    best = run.best or {}
    return {
        "job": path.name,
        "state": job["state"],
        "overrides": dict(word.partition("=")[::2] for word in job["overrides"]),
        "scores": final_scores(run),
        "best_metric": best.get("metric"),
        "best": best.get("value"),
        "best_images": best.get("images"),
        "images": run.images,
        "seconds": round(run.seconds, 3),
        "note": " ".join((run.error or run.summary.get("stopped") or "").split()),
    }


def final_scores(run: Run) -> dict[str, float | None]:
    """Return the latest score of each metric in training. Later evaluations name their checkpoint and are left out."""
    trained = [record for record in run.records if "checkpoint" not in record]
    return {record["metric"]: score_value(record) for record in latest_records(trained).values()}
