"""Files of JSON objects, written whole, and read even where a killed process or a bad copy left half of one."""

import json
import math
import os
from io import FileIO
from pathlib import Path
from typing import Any

from genlab.core.errors import ConfigError
from genlab.core.foreign_files import parse_json, read_text

MAX_BYTES = 2**28  # of a file of lines, which a run may need to go on from


def to_line(row: dict[str, Any]) -> str:
    return json.dumps(replace_non_finite(row), allow_nan=False) + "\n"


def replace_non_finite(value: Any) -> Any:
    """Return `value` with None in place of every number that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [replace_non_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def append_lines(path: Path, lines: str) -> None:
    """Append lines, all or none of them, in place of a half last line. Raises OSError if they cannot be written.

    Raises ConfigError for a link, which may lead to any file of the user's.
    """
    if path.is_symlink():
        raise ConfigError(f"{path}: is a link, and no results are written where it leads. Remove it.")
    with FileIO(path, "a+") as file:  # unbuffered: a line is on disk at once
        end = _end_of_lines(file)
        file.truncate(end)
        try:
            data = lines.encode()
            while data:
                data = data[file.write(data) :]
        except BaseException:
            file.truncate(end)
            raise


def _end_of_lines(file: FileIO) -> int:
    """Return the length of a file in bytes without a half last line."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return 0
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return size
    file.seek(0)
    return file.readall().rfind(b"\n") + 1


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a file; {} if there is no file, or only part of one."""
    return next(iter(_objects_in([_text_of(path)])), {})


def read_objects(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file with one a line, without lines that hold only part of one."""
    return _objects_in(_text_of(path).splitlines())


def _text_of(path: Path) -> str:
    try:
        return read_text(path, MAX_BYTES, errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _objects_in(texts: list[str]) -> list[dict[str, Any]]:
    return [found for found in map(_parse, texts) if isinstance(found, dict)]


def _parse(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return None
