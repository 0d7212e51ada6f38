"""Links in a run directory of somebody else: one rule for all commands.

A run directory may itself be reached by links, and its `checkpoints` may lie on another disk. Nothing else in it may
lead out of it: what a link leads to is neither read nor shown nor written to.
"""

from pathlib import Path

from genlab.core.errors import ConfigError

MAY_BE_LINKED = "checkpoints"


def leads_out(path: Path, run_dir: Path) -> bool:
    """Tell whether a path in a run directory leads out of it by links."""
    return not path.resolve().is_relative_to(run_dir.resolve())


def refuse_links(run_dir: Path) -> None:
    """Raise ConfigError for a run directory in which something but `checkpoints` leads elsewhere."""
    for folder in (run_dir, run_dir / MAY_BE_LINKED):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_symlink() and path != run_dir / MAY_BE_LINKED and leads_out(path, folder):
                raise ConfigError(describe_link(path))


def own_folder(run_dir: Path, *names: str) -> Path:
    """Return a folder in a run directory to write to. Raises ConfigError where it leads elsewhere."""
    path = run_dir.joinpath(*names)
    if leads_out(path, run_dir):
        raise ConfigError(describe_link(path))
    return path


def refuse_foreign_checkpoints(run_dir: Path) -> None:
    """Raise ConfigError if `checkpoints` is a link to files among which is no checkpoint to resume."""
    folder = run_dir / MAY_BE_LINKED
    if folder.is_symlink() and any(folder.iterdir()):
        raise ConfigError(
            f"{folder} leads to {folder.resolve()}, which holds other things than checkpoints of this run. Delete the "
            "link, or let it lead to an empty folder."
        )


def describe_link(path: Path) -> str:
    return (
        f"{path} leads out of the run directory, to {path.resolve()}: only its checkpoints may lie elsewhere. Delete "
        "that link; if it is your own, put a copy of what it leads to in its place."
    )
