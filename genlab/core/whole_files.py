"""Files that are written whole or not at all, and never through a link, which somebody else may have left there."""

import os
from pathlib import Path
from typing import Any


def write_atomically(path: Path, data: Any) -> None:
    """Write a file under another name and rename it, so that nobody ever sees half of it. Raises OSError."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)  # of a killed process, or a link
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def drop_link(path: Path) -> Path:
    """Return a path to write to, without the link that may be there: the file that it leads to stays as it is."""
    if path.is_symlink():
        path.unlink()
    return path
