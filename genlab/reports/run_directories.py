"""Where the runs lie."""

from __future__ import annotations

import os
from pathlib import Path

from genlab.core.errors import ConfigError
from genlab.reports.run import MARKS

INSIDE = {"checkpoints", "samples"}  # folders of a run: its own directory is the one above


def runs_in(places: list[str]) -> list[Path]:
    """Run directories at or below each place, each once. Raises ConfigError for a place that has none."""
    found = [path for place in places for path in _below(place)]
    return list({path.resolve(): path for path in found}.values())


def _below(place: str) -> list[Path]:
    root = Path(place).expanduser()
    if not root.is_dir():
        raise ConfigError(f"runs={place}: there is no such directory. Give a run's, or one that holds runs.")
    found = [Path(folder) for folder, inner, files in _walk(root) if _is_run(inner, files)]
    if not found:
        raise ConfigError(
            f"runs={place}: holds no run (no directory with {', '.join(MARKS[:-1])} or {MARKS[-1]}). "
            "Give a directory like outputs/wgan_gp-mnist/DATE_TIME, or one that holds such."
        )
    return sorted(found, key=by_number)


def _walk(root: Path) -> list[tuple[str, list[str], list[str]]]:
    """Every folder below, but nothing within a run."""
    seen = []
    for folder, inner, files in os.walk(root, followlinks=False):
        seen.append((folder, list(inner), files))
        if _is_run(inner, files):
            inner.clear()
    return seen


def _is_run(inner: list[str], files: list[str]) -> bool:
    return bool(set(MARKS) & set(files) or set(inner) & INSIDE)


def by_number(path: Path) -> tuple:
    """10-gan behind 9-gan."""
    head, _, rest = path.name.partition("-")
    return str(path.parent), int(head) if head.isdigit() and len(head) < 4 else -1, rest or head
