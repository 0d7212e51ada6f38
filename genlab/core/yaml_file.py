"""Reads YAML that somebody else may have written, in bounded time and memory."""

from pathlib import Path

import yaml

MAX_BYTES = 2_000_000
MAX_DEPTH = 50
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


def require_harmless(text: str) -> None:
    """Raise ValueError for aliases, which multiply, and for deep nesting; yaml.YAMLError for what is no YAML."""
    depth = 0
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it repeats a part by an alias (*{event.anchor}), which genlab never writes")
        depth += isinstance(event, OPENING) - isinstance(event, CLOSING)
        if depth > MAX_DEPTH:
            raise ValueError(f"it nests more than {MAX_DEPTH} deep")
