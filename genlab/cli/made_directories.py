"""Directories that a command makes and leaves empty, as a refused one does; those that were there before stay."""

from pathlib import Path

_present: dict[Path, set[Path]] = {}  # by run or sweep directory of this process: directories that were there before


def note_present(root: Path) -> None:
    """Note which directories are there before a run or a sweep makes its own: `root`, those above and those in it."""
    root = root.absolute()
    inside = {path for path in root.iterdir() if path.is_dir()} if root.is_dir() else set()
    _present.setdefault(root, {path for path in (root, *root.parents) if path.exists()} | inside)


def forget(root: Path) -> None:
    _present.pop(root.absolute(), None)


def remove_empty(run_dir: Path) -> None:
    """Remove a run's directory, and those above it, as far as they are empty and were made since `note_present`."""
    run_dir = run_dir.absolute()
    noted = next((_present[root] for root in (run_dir, run_dir.parent) if root in _present), None)
    if noted is None:
        return
    for folder in (run_dir, *run_dir.parents):
        if folder in noted or (folder.exists() and any(folder.iterdir())):
            return
        if folder.exists():
            folder.rmdir()
