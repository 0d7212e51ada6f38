"""Tables of names whose names are all different: a name's second line would replace its first without a word."""

from collections.abc import Iterable, Sequence
from typing import Any

from genlab.core.foreign_files import parse_json


def read_json(text: str, most: int) -> Any:
    """Return what a JSON text holds, of at most so many values.

    Raises ValueError for an object with two unlike values under one name, and as `parse_json` does.
    """
    return parse_json(text, most, make_object=unique)


def unique(pairs: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Return pairs of name and value as a dict. Raises ValueError for a name with two unlike values."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            raise ValueError(f"{name} stands there twice: {shorten(found[name])} and {shorten(value)}; leave one")
    return found


def shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
