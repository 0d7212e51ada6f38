"""Paths among the words of a command line, quoted so that Hydra takes the signs in them for letters.

A file that is there is meant as it is typed. Of other values `null`, `${...}` and Hydra's quotes mean what they always
mean, and brackets and commas what they mean to the key: a list, or the values of a sweep.
"""

from __future__ import annotations

import os
import re

from genlab.cli.change_words import split_entries
from genlab.core.command_words import as_override, quote_text
from genlab.core.errors import ConfigError

PATH_KEYS = ("run", "runs", "resume", "init_from", "to", "input", "image", "hydra.run.dir", "hydra.sweep.dir")
PATH_ENDINGS = (".root", ".weights", ".vgg", "data.conditions")  # of keys inside groups
LIST_ENDINGS = ("runs", ".root")  # of keys that take several paths
MAPPING = re.compile(r"\{.*:.*\}", re.DOTALL)  # such as an object of another class
FUNCTION = re.compile(r"(choice|range|interval|glob|shuffle|sort|tag|str|cast)\(.*\)")  # of Hydra's grammar


def quote_paths(words: list[str], *, sweeps: bool) -> list[str]:
    """Return a command line's words with their paths quoted; `sweeps`: commas part the values of a sweep.

    Raises ConfigError for a file that no config can name.
    """
    return [quote_path_word(word, sweeps=sweeps) for word in words]


def quote_path_word(word: str, *, sweeps: bool) -> str:
    key, sign, value = word.partition("=")
    name = key.lstrip("+")
    if not sign or not is_path_key(name) or value in ("", "null") or (MAPPING.fullmatch(value) and not exists(value)):
        return word
    return f"{key}={quote_value(value, name, sweeps=sweeps and not name.startswith('hydra.'))}"


def is_path_key(key: str) -> bool:
    return key in PATH_KEYS or key.endswith(PATH_ENDINGS)


def quote_value(value: str, key: str, *, sweeps: bool) -> str:
    takes_list = key.endswith(LIST_ENDINGS)
    if exists(value) or is_quoted(value):
        return quote_path(value, key)
    if sweeps and FUNCTION.fullmatch(value):
        return value
    lists = split_entries(value)
    if takes_list and all(one.startswith("[") and one.endswith("]") for one in lists):
        return ",".join(f"[{quote_several(one[1:-1], key)}]" for one in lists)
    if sweeps or takes_list:
        return quote_several(value, key)
    return quote_path(value, key)


def quote_several(text: str, key: str) -> str:
    """Quote each of the paths between commas. A comma belongs to a path where a file of that name is there."""
    parts, paths = text.split(","), []
    while parts:
        names = [",".join(parts[:count]).strip() for count in range(1, len(parts) + 1)]
        count = next((count for count, name in enumerate(names, start=1) if exists(name) or is_quoted(name)), 1)
        paths.append(names[count - 1])
        parts = parts[count:]
    return ",".join(path if path in ("", "null") else quote_path(path, key) for path in paths)


def quote_path(path: str, key: str) -> str:
    """Return one path as Hydra reads it, from a home directory where it begins with `~`."""
    if not exists(path):
        return quote_text(os.path.expanduser(without_quotes(path)))
    if "${" in path:
        raise ConfigError(f"{key}={path}: ${{...}} stands for another key of a config. Rename the file, or link to it.")
    return as_override(os.path.expanduser(path))


def exists(path: str) -> bool:
    return bool(path) and os.path.exists(os.path.expanduser(path))


def is_quoted(value: str) -> bool:
    return without_quotes(value) != value


def without_quotes(value: str) -> str:
    """Return the text that stands in Hydra's quotes, if all of the value does; else the value."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import QuotedString
    from hydra.errors import HydraException

    if value[:1] not in ("'", '"') or value[:1] != value[-1:]:
        return value
    try:
        found = OverridesParser.create().parse_rule(value, "element")
    except HydraException:
        return value
    return found.text if isinstance(found, QuotedString) else value
