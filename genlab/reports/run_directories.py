"""Find the run directories below the places that a user names."""

import os
from pathlib import Path

from genlab.core.errors import ConfigError
from genlab.reports.run import RUN_MARKERS

RUN_SUBFOLDERS = {"checkpoints", "samples"}  # a directory that holds one of these is a run


def find_runs(places: list[str]) -> list[Path]:
    """Return the run directories at or below each place, each once. Raises ConfigError for a place without any."""
    found = [path for place in places for path in _runs_below(place)]
    return list({path.resolve(): path for path in found}.values())


def _runs_below(place: str) -> list[Path]:
    root = Path(place).expanduser()
    if root.is_file():
        raise ConfigError(f"runs={place}: is a file, and a report is about the records of a run. Give its directory.")
    if not root.is_dir():
        raise ConfigError(f"runs={place}: there is no such directory. Give a run's, or one that holds runs.")
    found = [Path(folder) for folder, inner, files in _walk_outside_runs(root) if _is_run(inner, files)]
    if not found:
        raise ConfigError(
            f"runs={place}: holds no run (no directory with {', '.join(RUN_MARKERS[:-1])} or {RUN_MARKERS[-1]}). "
            "Give a directory like outputs/wgan_gp-mnist/DATE_TIME, or one that holds such."
        )
    return sorted(found, key=number_sort_key)


def _walk_outside_runs(root: Path) -> list[tuple[str, list[str], list[str]]]:
    """Return (folder, subfolders, files) of every folder below `root`, without the folders inside of runs.

    Links are followed; each folder is entered once, so that circular links end.
    """
    walked, entered = [], set()
    for folder, inner, files in os.walk(root, followlinks=True):
        if (place := os.path.realpath(folder)) in entered:
            inner.clear()
            continue
        entered.add(place)
        walked.append((folder, list(inner), files))
        if _is_run(inner, files):
            inner.clear()
    return walked


def _is_run(inner: list[str], files: list[str]) -> bool:
    return bool(set(RUN_MARKERS) & set(files) or set(inner) & RUN_SUBFOLDERS)


def number_sort_key(path: Path) -> tuple:
    """Sort by leading job numbers as numbers: 9-gan before 10-gan."""
    head, _, rest = path.name.partition("-")
    return str(path.parent), int(head) if head.isdigit() and len(head) < 4 else -1, rest or head
