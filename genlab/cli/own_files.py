"""Mistakes in a user's own YAML files, which Hydra would tell in its parser's words or by keys far away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genlab.cli import menu
from genlab.core.errors import ConfigError

HEADER = "# @package _global_"
GLOBAL_GROUPS = ("model", "experiment")  # whose YAMLs choose other groups


def check_own_files(words: list[str], folder: Path | None) -> None:
    """Raise ConfigError for a mistake in the user's YAML files that a command line chooses."""
    for group, path in chosen_files(words, folder) if folder else ():
        check_own_file(path, group)


def chosen_files(words: list[str], folder: Path) -> Iterator[tuple[str, Path]]:
    for word in words:
        key, _, value = word.lstrip("+").partition("=")
        names = value.strip("[]").split(",") if key in (*menu.GROUPS, "experiment") else []
        paths = (folder / key / f"{name.strip()}.yaml" for name in names if name.strip())
        yield from ((key, path) for path in paths if path.is_file())


def check_own_file(path: Path, group: str) -> None:
    from omegaconf import DictConfig, OmegaConf
    from yaml import YAMLError

    try:
        config: Any = OmegaConf.load(path)
        first_line = path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(explain_yaml(error, path)) from error
    if not isinstance(config, DictConfig) or not config:
        raise ConfigError(f"{path}: expected keys with values. configs/{group}/ holds examples.")
    if group in GLOBAL_GROUPS and first_line != HEADER:
        raise ConfigError(f"{path}: its first line must be `{HEADER}`; without it all keys would lie below `{group}`.")
    require_list_of_defaults(config.get("defaults", []), path)


def require_list_of_defaults(defaults: Any, path: Path) -> None:
    """Raise ConfigError for `defaults` that are no list, or that name a group of the menu without a slash."""
    from omegaconf import ListConfig

    if not isinstance(defaults, list | ListConfig):
        raise ConfigError(f"{path}: `defaults` must be a list, such as `- /loss: hinge`.")
    keys = [str(key) for entry in defaults if not isinstance(entry, str) for key in entry]
    for key in keys:
        group = key.split()[-1].partition("@")[0]
        if group in menu.GROUPS:
            absolute = key.replace(group, f"/{group}")
            raise ConfigError(f"{path}: `{key}` in `defaults` needs a slash before the group: `{absolute}`.")


def explain_yaml(error: Exception, path: Path | str = "a YAML file") -> str:
    """Return where a YAML file cannot be read, and why."""
    from yaml import MarkedYAMLError

    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return f"{path}: cannot be read as YAML in UTF-8 ({' '.join(str(error).split())})."
    hint = " YAML indents by spaces, never by tabs." if "\\t" in str(error.problem) else ""
    mark = error.problem_mark
    return f"{mark.name}, line {mark.line + 1}: cannot be read as YAML: {error.problem}.{hint}"
