"""Reads YAML that somebody else may have written, in bounded time and memory."""

from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 2_000_000
MAX_DEPTH = 50
OPENING = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def read_yaml(path: Path) -> Any:
    """Return a file's content as plain values. Raises ValueError with the reason for one that is not harmless."""
    size = path.stat().st_size
    if not path.is_file() or size > MAX_BYTES:
        raise ValueError(f"it is no file of at most {MAX_BYTES:,} bytes")
    return parse_yaml(path.read_text(encoding="utf-8"))


def parse_yaml(text: str) -> Any:
    """Return plain values. Raises ValueError for aliases, which multiply, for deep nesting and for what is no YAML."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        require_harmless(text)
        return OmegaConf.to_container(OmegaConf.create(text))
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise ValueError(f"it is no YAML ({str(error).splitlines()[0]})") from error


def require_harmless(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it repeats a part by an alias (*{event.anchor}), which genlab never writes")
        depth += isinstance(event, OPENING) - isinstance(event, CLOSING)
        if depth > MAX_DEPTH:
            raise ValueError(f"it nests more than {MAX_DEPTH} deep")
