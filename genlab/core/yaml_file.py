"""Reads YAML that somebody else may have written, in bounded time and memory."""

import re
from pathlib import Path
from typing import Any

import yaml

from genlab.core.foreign_files import MAX_DEPTH

MAX_BYTES = 2_000_000
NUMBER = re.compile(r"[-+.]?\d[\w:.]{200}")  # PyYAML reads 1:59:59 as a number, in quadratic time
OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def read_harmless(path: Path) -> str:
    """Return the text of a YAML file. Raises ValueError for one that is too large, or not harmless."""
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it is no file of at most {MAX_BYTES:,} bytes")
    text = path.read_text(encoding="utf-8")
    try:
        require_harmless(text)
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML ({str(error).splitlines()[0]})") from error
    return text


def load_harmless(text: str) -> Any:
    """Return what a YAML text holds. Raises ValueError or yaml.YAMLError as `require_harmless` does."""
    if len(text) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES:,} letters")
    require_harmless(text)
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def require_harmless(text: str) -> None:
    """Raise ValueError for aliases, which multiply, deep nesting and endless numbers; yaml.YAMLError for no YAML."""
    depth = 0
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it repeats a part by an alias (*{event.anchor}), which genlab never writes")
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and NUMBER.match(event.value):
            raise ValueError("it holds a word of digits with more than 200 letters")
        depth += isinstance(event, OPENING) - isinstance(event, CLOSING)
        if depth > MAX_DEPTH:
            raise ValueError(f"it nests more than {MAX_DEPTH} deep")
