"""What becomes of a sweep's jobs, in whichever process a launcher ran them."""

from __future__ import annotations

from pathlib import Path

from genlab import errors
from genlab.errors import GenlabError

ERROR = "error.txt"  # in the directory of a job that failed
finished: list[Path] = []  # directories of sweeps that ended in this process: see genlab.watch


def write_error(folder: Path, error: GenlabError) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ERROR).write_text(f"{type(error).__name__}: {error}\n", encoding="utf-8")


def raise_failures() -> None:
    """Raises an error of the kind of the first failure, if jobs of the sweep that has just ended failed."""
    folder = finished.pop() if finished else None
    failed = sorted(folder.glob(f"*/{ERROR}")) if folder else []
    if failed:
        jobs = [path for path in folder.iterdir() if path.is_dir()]
        kind, _, words = failed[0].read_text(encoding="utf-8").strip().partition(": ")
        raise getattr(errors, kind, GenlabError)(
            f"{len(failed)} of {len(jobs)} jobs failed; see {ERROR} in their directories. The first: {words}"
        )
