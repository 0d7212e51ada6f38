"""Refuses what is given twice on a command line, of which Hydra would take the last without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genlab.cli import menu
from genlab.core.errors import ConfigError

MENU_LISTS = ("penalty", "augment", "metrics")
OBJECT_LISTS = ("penalty", "augment")  # groups of which one takes several, each under a key of its own


def refuse_repeated_keys(words: list[str]) -> None:
    """Raise ConfigError for a key that two words set; `+KEY=...` adds to a group, and may stand several times."""
    given: dict[str, str] = {}
    for word in words:
        key, sign, _ = word.removeprefix("++").partition("=")
        if not sign or key.startswith("+"):
            continue
        if key in given:
            raise ConfigError(f"{given[key]} and {word}: {key} is given twice. Give it once.")
        given[key] = word


def refuse_shared_choices(group: str, names: Any, word: str, folder: Path | None) -> None:
    """Raise ConfigError for choices of a list of which one would take the place of another; `folder`: own YAMLs."""
    if group not in MENU_LISTS or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return
    owner: dict[str, str] = {}
    for name in names:
        for key in keys_of(group, name, folder) if group in OBJECT_LISTS else [name]:
            if owner.get(key) == name:
                raise ConfigError(f"{word}: {name} is listed twice. List it once.")
            if key in owner:
                raise ConfigError(
                    f"{word}: {owner[key]} and {name} are both {group}.{key}, and one would replace the other. "
                    "Choose one of them."
                )
            owner[key] = name


def keys_of(group: str, name: str, folder: Path | None) -> list[str]:
    """Return the keys at the top of a choice's YAML; its name alone if there is no such file, which Hydra reports."""
    import yaml

    own = folder / group / f"{name}.yaml" if folder else None
    path = own if own and own.is_file() else menu.folder_of(group) / f"{name}.yaml"
    try:
        node = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        node = None
    keys = [key for key in node if key != "defaults"] if isinstance(node, dict) else []
    return keys or [name]
