"""Reads files that somebody else may have made: regular files alone, in bounded time and memory."""

import json
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

MAX_BYTES = 2**26  # of a text
MAX_VALUES = 2**21  # in a JSON text: Python objects take up to 240 bytes each
MAX_DEPTH = 50  # of lists and dicts in each other
CONTAINERS = (dict, list, tuple, set, frozenset)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file to read. Raises OSError for a pipe, a socket or a device, which may block or never end."""
    file = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115 (the caller closes it)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError("it is no regular file")


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe without a writer blocks else; Windows has none


def is_regular(path: str | Path) -> bool:
    """Tell whether a path leads to a regular file that can be opened."""
    try:
        open_regular(path).close()
    except OSError:
        return False
    return True


def read_bytes(path: str | Path, most: int = MAX_BYTES) -> bytes:
    """Return a file's content. Raises OSError for one that is not regular, or has more than `most` bytes."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(f"it has {size:,} bytes, more than {most:,}")
        return file.read(size)


def read_text(path: str | Path, most: int = MAX_BYTES, *, errors: str = "strict") -> str:
    """Return a file's UTF-8 text. Raises OSError as `read_bytes` does, and ValueError for another encoding."""
    return read_bytes(path, most).decode("utf-8", errors)


def parse_json(
    text: str | bytes, most: int = MAX_VALUES, *, make_object: Callable[[list[tuple[str, Any]]], Any] = dict
) -> Any:
    """Return what a JSON text holds. Raises ValueError for damage, deep nesting, and more than `most` values."""
    text = text if isinstance(text, str) else text.decode("utf-8")
    if sum(map(text.count, "[{,")) > most:
        raise ValueError(f"it holds more than {most:,} values")
    try:
        found = json.loads(text, object_pairs_hook=make_object)
    except RecursionError as error:
        raise ValueError(_too_deep()) from error
    require_tree(found, most=2 * most)  # keys count too
    return found


def read_json_object(path: str | Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises OSError if it cannot be read, ValueError if it holds anything else."""
    found = parse_json(read_text(path))
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")
    return found


def require_tree(content: Any, *, most: int = MAX_VALUES) -> None:
    """Raise ValueError for containers that nest deep, as those do that hold themselves, or hold too many values.

    A part that is shared counts at each place: whoever walks through the content meets it there.
    """
    count, level = 0, [content]
    for _ in range(MAX_DEPTH + 1):
        containers = [node for node in level if isinstance(node, CONTAINERS)]
        count += sum(len(node) * (1 + isinstance(node, dict)) for node in containers)
        if not containers:
            return
        if count > most:
            raise ValueError(f"it holds more than {most:,} values")
        level = [child for node in containers for child in _parts_of(node)]
    raise ValueError(_too_deep())


def children_of(node: Any) -> Iterable[tuple[Any, Any]]:
    """Return the keys and values of a mapping, the places and items of any other container."""
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, CONTAINERS) else ()


def _parts_of(node: Any) -> Iterable[Any]:
    return [*node.keys(), *node.values()] if isinstance(node, dict) else node


def _too_deep() -> str:
    return f"it nests more than {MAX_DEPTH} deep"
