"""Paths in a config, made absolute: a run is opened from other directories than it was started in."""

import os
from typing import Any, Literal, get_args, get_origin

from genlab.build.targets import accepted_arguments, locate
from genlab.core.types import FilePath

RUN_KEYS = ("init_from", "resume")


def with_absolute_paths(config: dict[str, Any]) -> dict[str, Any]:
    """Return a resolved config in which every path is absolute. Raises ConfigError for an unknown `_target_`."""
    made = {key: _convert_node(value, key) for key, value in config.items()}
    return made | {key: _to_absolute(made[key]) for key in RUN_KEYS if made.get(key) not in (None, "auto")}


def _convert_node(node: Any, key: str) -> Any:
    if not isinstance(node, dict):
        return node
    made = {name: _convert_node(value, f"{key}.{name}") for name, value in node.items()}
    hints = accepted_arguments(locate(node["_target_"], key)) if "_target_" in node else {}
    paths = {name for name in made if names_path(hints.get(name)) and made[name] not in keywords_of(hints[name])}
    return {name: _to_absolute(value) if name in paths else value for name, value in made.items()}


def names_path(hint: Any) -> bool:
    """Return whether an argument's annotation takes a path, or several."""
    return hint == FilePath or any(map(names_path, get_args(hint)))


def keywords_of(hint: Any) -> list[Any]:
    """Return the words that an annotation takes beside a path."""
    return [word for part in get_args(hint) if get_origin(part) is Literal for word in get_args(part)]


def _to_absolute(path: Any) -> Any:
    if isinstance(path, list):
        return [_to_absolute(one) for one in path]
    return os.path.abspath(os.path.expanduser(path)) if isinstance(path, str) and path else path
