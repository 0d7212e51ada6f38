"""Lists without brackets, `classes=cat,dog`, on command lines of programs that have no sweeps."""

from __future__ import annotations

import re

from genlab.core.errors import ConfigError

LIST_KEYS = ("class", "classes", "conditions", "metrics", "runs", "trust", "words")
LIST_GROUPS = ("data.", "metrics.", "mode.")  # whose values are checked against the types of their class


def bracket_lists(words: list[str]) -> list[str]:
    """Return `key=value` words with brackets around lists. Raises ConfigError for a list where one value is taken."""
    return [bracket_list(word) for word in words]


def quote_values(word: str) -> str | None:
    """Return a `key=value` word that the parser refuses with its value in quotes; None: that is not what it lacks."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    key, _, value = word.partition("=")
    if not value or set(value) & set("[]{}()'\"$\\"):
        return None
    entries = value.split(",") if key in LIST_KEYS else [value]
    written = [entry if re.fullmatch(r"[A-Za-z0-9_.-]+", entry) else f'"{entry}"' for entry in entries]
    quoted = f"{key}=[{','.join(written)}]" if len(written) > 1 else f"{key}={written[0]}"
    try:
        OverridesParser.create().parse_override(quoted)
    except HydraException:
        return None
    return quoted if all(entries) else None


def bracket_list(word: str) -> str:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import ValueType
    from hydra.errors import HydraException

    try:
        found = OverridesParser.create().parse_override(word)
    except HydraException:  # composing reports it
        return word
    if not found.is_sweep_override():
        return word
    key, _, value = word.partition("=")
    if found.value_type is ValueType.SIMPLE_CHOICE_SWEEP and (key in LIST_KEYS or key.startswith(LIST_GROUPS)):
        return f"{key}=[{value}]"
    raise ConfigError(
        f"{word}: several values, and this program runs once and takes one value of {key}. Name one; a comma or a "
        f"bracket that belongs to it stands in quotes: \"{key}='...'\"."
    )
