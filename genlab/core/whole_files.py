"""Files that are written whole or not at all."""

import os
from pathlib import Path
from typing import Any


def write_atomically(path: Path, data: Any) -> None:
    """Write a file under another name and rename it, so that nobody ever sees half of it. Raises OSError."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
