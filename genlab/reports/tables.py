"""The report's tables as CSV downloads, for spreadsheets and notebooks."""

import csv
from base64 import b64encode
from collections.abc import Iterable
from io import StringIO
from typing import Any, NamedTuple

from genlab.reports import curves
from genlab.reports.leaderboard import Leaderboard
from genlab.reports.run import Run
from genlab.reports.seed_groups import Group

FORMULA = ("=", "+", "-", "@", "\t", "\r")
MAX_CSV_BYTES = 1_400_000  # browsers refuse to save longer data URIs (Chromium from 2 MB in base64)


class Download(NamedTuple):
    name: str
    uri: str
    note: str = ""


def curves_csv(runs: list[Run]) -> Download | None:
    """Return a row for each run and position; of long runs every k-th position, and all rows with scores."""
    columns = ["run", "seed", *curves.CLOCK_KEYS, *curves.curve_names(runs)]
    tables = [(run, merge_rows(run.rows)) for run in runs]
    text = _format_curves(columns, tables, every=1).encode()
    every = -(-len(text) // MAX_CSV_BYTES) or 1
    while len(text) > MAX_CSV_BYTES and every < 1_000_000:
        text = _format_curves(columns, tables, every).encode()
        every = every if len(text) <= MAX_CSV_BYTES else 2 * every
    note = "" if every == 1 else f"one of {every} positions and all scores; metrics.jsonl has the rest"
    return csv_download("curves.csv", text, note) if any(rows for _, rows in tables) else None


def _format_curves(columns: list[str], tables: list[tuple[Run, list[dict[str, Any]]]], every: int) -> str:
    rows = (
        {"run": str(run.path), "seed": run.seed, **row}
        for run, table in tables
        for place, row in enumerate(table)
        if place % every == 0 or any(key.startswith("score/") for key in row)
    )
    return format_csv(columns, rows)


def merge_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row a position, with all that was published there."""
    found: dict[Any, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["images"], {}).update(row)
    return list(found.values())


def records_csv(runs: list[Run]) -> Download | None:
    """Return every score record with all its fields; None if there is none."""
    records = [{"run": str(run.path), **record} for run in runs for record in run.records]
    columns = list(dict.fromkeys(["run", "metric", "value", *(key for record in records for key in record)]))
    return csv_download("scores.csv", format_csv(columns, records).encode()) if records else None


def results_csv(board: Leaderboard) -> Download | None:
    """Return a row for each group and column of the leaderboard: mean, interval and the value of each seed."""
    rows = [
        {
            "group": row.group.label,
            "metric": column.title,
            "better": column.better,
            "mean": cell.mean,
            "low": None if cell.margin is None else cell.mean - cell.margin,
            "high": None if cell.margin is None else cell.mean + cell.margin,
            "runs": len(cell.values),
            "not_finite": cell.not_finite,
            "values": " ".join(f"{value:.6g}" for value in cell.values),
            "seeds": format_seeds(row.group),
            "measured": column.how,
        }
        for row in board.rows
        for column, cell in zip(board.columns, row.cells, strict=True)
        if cell.values or cell.not_finite
    ]
    return csv_download("results.csv", format_csv(list(rows[0]), rows).encode()) if rows else None


def format_seeds(group: Group) -> str:
    return ", ".join(str(run.seed) for run in group.runs if run.seed is not None)


def format_csv(columns: list[str], rows: Iterable[dict[str, Any]]) -> str:
    file = StringIO()
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: as_cell(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def as_cell(value: Any) -> Any:
    """Return a value of a table; a text that a spreadsheet would compute as a formula gets a quote before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def csv_download(name: str, data: bytes, note: str = "") -> Download:
    return Download(name, f"data:text/csv;charset=utf-8;base64,{b64encode(data).decode()}", note)
