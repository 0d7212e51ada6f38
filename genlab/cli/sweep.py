"""What becomes of a sweep's jobs, in whichever process a launcher ran them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from genlab.core import distributed, errors
from genlab.core.errors import GenlabError

ERROR = "error.txt"  # in the directory of a job that failed
RESULTS = "results.csv"  # in that of the sweep
begun: list[Path] = []  # directories of sweeps that began in this process: see genlab.cli.hydra_callback
finished: list[Path] = []  # of those that came to their end


def note(folder: Path, overrides: Sequence[str], state: str) -> None:
    """What the table is to say of a job: done, failed, or interrupted, which it is until it has ended."""
    from genlab.reports.jobs import JOB_FILE

    if distributed.is_main():
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"overrides": list(overrides), "state": state}
        (folder / JOB_FILE).write_text(json.dumps(facts) + "\n", encoding="utf-8")


def write_error(folder: Path, error: GenlabError) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ERROR).write_text(f"{type(error).__name__}: {error}\n", encoding="utf-8")


@contextmanager
def tabled() -> Iterator[None]:
    """At the end of a sweep, be it an early one, the table of its jobs is written."""
    try:
        yield
    finally:
        folder = begun.pop() if begun else None
        if folder and distributed.is_main():
            write_table(folder)


def write_table(folder: Path) -> None:
    """A row a job that is in the directory, those of an earlier attempt too."""
    from genlab.reports.jobs import jobs_csv

    text = jobs_csv(folder)
    if text:
        (folder / RESULTS).write_text(text, encoding="utf-8")
        print(folder / RESULTS, flush=True)


def raise_failures() -> None:
    """Raises an error of the kind of the first failure, if jobs of the sweep that has just ended failed."""
    folder = finished.pop() if finished else None
    failed = sorted(folder.glob(f"*/{ERROR}")) if folder else []
    if failed:
        jobs = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        kind, _, words = failed[0].read_text(encoding="utf-8").strip().partition(": ")
        raise getattr(errors, kind, GenlabError)(
            f"{len(failed)} of {len(jobs)} jobs failed; see {ERROR} in their directories. The first: {words}"
        )
