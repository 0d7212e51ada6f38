"""Train every system for a few minutes, record its scores, and write the tables of the results page.

python scripts/results.py [--only NAME ...] [--jobs N]  # trains systems without a record, and resumes stopped runs
python scripts/results.py --table [--write]             # prints the tables; writes them into the pages

A record is scripts/results/NAME-SEED.json. Runs land in outputs/results/NAME-SEED. Each has one core (--jobs of
them run side by side) and at most three minutes of training, unless its row says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import floor, log10
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from results_rows import ROWS, SUMMARY, TABLES, Row

HOME = Path(__file__).parent.parent
RECORDS = HOME / "scripts" / "results"
RUNS = HOME / "outputs" / "results"
PAGES = (HOME / "README.md", RECORDS / "README.md")  # with a pair of marks around each table
T_QUANTILES = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # Student's quantile of a 95 % interval, by number of runs


def main() -> int:
    options = parse_arguments()
    if options.table:
        text = tables()
        print("\n\n".join(text.values()))
        if options.write:
            write_pages(text)
        return 0
    jobs = [(row, seed) for row in ROWS for seed in row.seeds if not options.only or row.name in options.only]
    jobs.sort(key=lambda job: job[1])  # one run of everything before the second of anything
    missing = [job for job in jobs if not record_path(*job).exists()]
    with ThreadPoolExecutor(options.jobs) as pool:
        return max(pool.map(lambda job: train(*job), missing), default=0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [row.name for row in ROWS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs side by side, a core each")
    parser.add_argument("--table", action="store_true", help="print the tables; train nothing")
    parser.add_argument("--write", action="store_true", help="with --table: write them into the pages too")
    return parser.parse_args()


def train(row: Row, seed: int) -> int:
    """Train one run, and write its record if it ended; return its exit code."""
    run_dir = RUNS / f"{row.name}-{seed}"
    words = [*row.words, f"seed={seed}", f"hydra.run.dir={run_dir.relative_to(HOME)}", "resume=auto"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / "log.txt").open("a") as log:
        command = [sys.executable, "-m", "genlab.train", *words]
        code = subprocess.run(command, cwd=HOME, env=environment, stdout=log, stderr=log).returncode
    if code:
        print(f"{row.name} seed {seed}: exit code {code}, see {run_dir / 'log.txt'}", flush=True)
        return code
    record = make_record(row, seed, run_dir)
    record_path(row, seed).parent.mkdir(exist_ok=True)
    record_path(row, seed).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"{row.name} seed {seed}: {record['seconds']:.0f} s, {record['scores']}", flush=True)
    return 0


def make_record(row: Row, seed: int, run_dir: Path) -> dict[str, Any]:
    summary, environment = (json.loads((run_dir / f"{name}.json").read_text()) for name in ("summary", "environment"))
    last = max(score["position"] for score in summary["records"])
    records = [score for score in summary["records"] if score["position"] == last]
    return {
        "command": f"python -m genlab.train {row.command} seed={seed}",
        "seconds": summary["seconds"],
        "images": summary["images"],
        "scores": {score["metric"]: round(score["value"], 5) for score in records},
        "records": records,
        "versions": environment["versions"],
        "device": environment["device_name"],
        "threads": environment["threads"],
    }


def record_path(row: Row, seed: int) -> Path:
    return RECORDS / f"{row.name}-{seed}.json"


def tables() -> dict[str, str]:
    """Return the tables of the results page by name, and `summary`, the front page's."""
    return {name: result_table(name) for name in TABLES} | {"summary": summary()}


def result_table(name: str) -> str:
    columns, ascending = TABLES[name]
    return render_table([row for row in ROWS if row.table == name], columns, ascending)


def summary() -> str:
    columns, names = SUMMARY
    return render_table([row for row in ROWS if row.name in names], columns)


def render_table(rows: list[Row], columns: list[str], ascending: bool = True) -> str:
    """Return a table in Markdown, a line per row, the best by the first two columns on top."""
    found = [(row, records) for row in rows if (records := read_records(row))]
    found.sort(key=lambda pair: [mean_score(pair[1], column) for column in columns[:2]], reverse=not ascending)
    lines = [
        "| `python -m genlab.train ...` | time | images | " + " | ".join(columns) + " |",
        "|---|---:|---:|" + "---:|" * len(columns),
        *(table_row(row, records, columns) for row, records in found),
    ]
    return "\n".join(lines)


def read_records(row: Row) -> list[dict[str, Any]]:
    paths = [record_path(row, seed) for seed in row.seeds]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def mean_score(records: list[dict[str, Any]], column: str) -> float:
    return mean(record["scores"].get(column, float("inf")) for record in records)


def table_row(row: Row, records: list[dict[str, Any]], columns: list[str]) -> str:
    seconds = round(mean(record["seconds"] for record in records))
    cells = [f"{seconds // 60}:{seconds % 60:02}", f"{mean(record['images'] for record in records):,.0f}"]
    cells += [
        table_cell([record["scores"][column] for record in records if column in record["scores"]]) for column in columns
    ]
    return f"| `{shlex.join(row.command.split())}` | {' | '.join(cells)} |"


def table_cell(values: list[float]) -> str:
    """Return the mean to three digits, with its 95 % interval for several runs. Counts are printed whole."""
    if not values:
        return ""
    largest = max(map(abs, values))
    digits = max(0, 2 - floor(log10(largest))) if any(value % 1 for value in values) else 0
    spread = T_QUANTILES[len(values)] * stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return f"{mean(values):.{digits}f}" + (f" ± {spread:.{digits}f}" if spread is not None else "")


def write_pages(tables: dict[str, str]) -> None:
    for path in PAGES:
        path.write_text(fill_tables(path.read_text(encoding="utf-8"), tables), encoding="utf-8")


def fill_tables(text: str, tables: dict[str, str]) -> str:
    """Return the text with each table between its two marks."""
    for name, body in tables.items():
        marks = re.compile(f"(<!-- results: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        text = marks.sub(lambda found, body=body: f"{found[1]}{body}\n{found[2]}", text)
    return text


if __name__ == "__main__":
    sys.exit(main())
