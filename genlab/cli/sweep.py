"""State and errors of a sweep's jobs, kept in their directories, and the table of the sweep."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from genlab.core import distributed, errors
from genlab.core.errors import GenlabError
from genlab.core.whole_files import write_atomically

ERROR_FILE = "error.txt"  # in the directory of a job that failed
MAX_LISTED = 9  # jobs
RESULTS_FILE = "results.csv"  # in the directory of the sweep
begun_sweeps: list[Path] = []  # directories of this process's sweeps; filled by genlab.cli.hydra_callback
finished_sweeps: list[Path] = []  # those that ended


def write_job(folder: Path, overrides: Sequence[str], state: str) -> None:
    """Record a job's state for the table: done, failed, or interrupted, which it is until it has ended."""
    from genlab.reports.jobs import JOB_FILE

    if distributed.is_main():
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"overrides": [word.removeprefix("++") for word in overrides], "state": state}
        write_atomically(folder / JOB_FILE, f"{json.dumps(facts)}\n".encode())


def write_error(folder: Path, error: GenlabError) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / ERROR_FILE, f"{type(error).__name__}: {error}\n".encode())


@contextmanager
def write_table_at_end() -> Iterator[None]:
    """Write the table of a sweep's jobs when it ends, also if by an error."""
    try:
        yield
    finally:
        folder = begun_sweeps.pop() if begun_sweeps else None
        if folder and distributed.is_main():
            write_table(folder)


def write_table(folder: Path) -> None:
    """Write a row for each job in the directory, those of an earlier attempt too."""
    from genlab.reports.jobs import jobs_csv

    text = jobs_csv(folder)
    if text:
        write_atomically(folder / RESULTS_FILE, text.encode())
        print(folder / RESULTS_FILE, flush=True)


def raise_failures() -> None:
    """Raise an error of the first failure's kind if jobs of the sweep that has just ended failed."""
    if not finished_sweeps:
        return
    folder = finished_sweeps.pop()
    failed = sorted(folder.glob(f"*/{ERROR_FILE}"))
    if failed:
        jobs = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        told = [path.read_text(encoding="utf-8").strip().partition(": ")[::2] for path in failed]
        jobs_told = zip(failed, told, strict=True)
        lines = [f"  {path.parent.name}: {words.partition(chr(10))[0]}" for path, (_, words) in jobs_told]
        more = f"\n  and {len(lines) - MAX_LISTED} more" * (len(lines) > MAX_LISTED)
        raise getattr(errors, told[0][0], GenlabError)(
            f"{len(failed)} of {len(jobs)} jobs failed; see {ERROR_FILE} in their directories.\n"
            + "\n".join(lines[:MAX_LISTED])
            + more
        )
