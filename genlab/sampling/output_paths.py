"""Paths of written files: nothing is overwritten unasked or left half written."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from genlab.core.errors import ConfigError, RunError
from genlab.core.os_errors import reason_of, remedy_of
from genlab.core.whole_files import drop_link


def check_target(to: str, suffixes: Sequence[str], *, overwrite: bool) -> Path:
    """Return the path of a file with one of the suffixes ("": a folder). Raises ConfigError if it cannot be written."""
    path = Path(to).expanduser()
    suffix = path.suffix.lower() if path.suffix[1:].isalpha() or path.suffix == ".mp4" else ""
    if suffix not in suffixes:
        raise ConfigError(f"to={to}: this mode writes {' or '.join(map(describe_suffix, suffixes))}.")
    require_free(path, suffix, overwrite)
    require_writable(path)
    return path


def require_free(path: Path, suffix: str, overwrite: bool) -> None:
    """Raise ConfigError for an existing file without `overwrite`. A folder must be empty: its files are the user's."""
    if path.exists() and path.is_dir() != (suffix == ""):
        raise ConfigError(f"to={path}: is a {'folder' if path.is_dir() else 'file'} already. Name another place.")
    if path.is_dir() and any(path.iterdir()):
        raise ConfigError(f"to={path}: is a folder that holds something already. Name another, or empty it first.")
    if path.is_file() and not overwrite:
        raise ConfigError(f"to={path}: is there already. Name another place, or write over it with overwrite=true.")


def describe_suffix(suffix: str) -> str:
    return f"FILE{suffix}" if suffix else "a folder"


def require_writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written to ({reason_of(error)}). Name another place: to=PATH.") from error


def make_folder(folder: Path) -> Path:
    """Create the folder of `to`. Raises ConfigError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"to={folder}: cannot be made a folder ({error}). Choose another: to=FOLDER.") from error
    return folder


def free_path(folder: Path, name: str, suffix: str) -> Path:
    """Return `folder/name.suffix`, numbered if it exists. Raises ConfigError if it cannot be written."""
    names = (name if number == 1 else f"{name}_{number}" for number in count(1))
    path = next(path for path in (folder / f"{each}{suffix}" for each in names) if not path.exists())
    require_writable(path)
    return path


@contextmanager
def temporary_target(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to `path` on success. Raises RunError if it cannot be written."""
    temporary = drop_link(path.with_name(f".{os.getpid()}_{path.name}"))
    try:
        yield temporary
        if path.is_dir():
            path.rmdir()  # it is empty
        os.replace(temporary, path)
    except OSError as error:
        remedies = [remedy_of(error)] if remedy_of(error) else []
        words = ", or ".join([*remedies, "name another place: to=PATH"])
        raise RunError(f"cannot write {path}: {reason_of(error)}. {words[0].upper()}{words[1:]}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True) if temporary.is_dir() else temporary.unlink(missing_ok=True)
