"""Tables of names whose names are all different: a name's second line would replace its first without a word."""

import json
from collections.abc import Iterable, Sequence
from typing import Any


def read_json(text: str) -> Any:
    """Return what a JSON text holds. Raises ValueError for an object with two unlike values under one name."""
    return json.loads(text, object_pairs_hook=unique)


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
