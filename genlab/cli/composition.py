"""Compose configs from a command line's words, and explain mistakes in them in one message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from genlab.cli import menu
from genlab.cli.comma_lists import bracket_lists
from genlab.core.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIGS = "pkg://genlab.configs"


def compose(name: str, words: list[str]) -> dict:
    """Return the resolved config `name` with `key=value` words applied. Raises ConfigError for a wrong word."""
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    where, words = {"config_path": CONFIGS, "config_name": name}, bracket_lists(words)
    try:
        config: Any = OmegaConf.to_container(load_config(words, where), resolve=True, throw_on_missing=True)
        return config
    except MissingMandatoryValue as error:
        raise ConfigError(f"{error.full_key}=...: is needed. See --help.") from error
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain_error(error, words, where)) from error


def load_config(words: list[str], where: dict[str, str]) -> DictConfig:
    from hydra import compose, initialize_config_dir, initialize_config_module

    folder = where["config_path"]
    begin = (
        initialize_config_module(CONFIGS[6:], version_base="1.3")
        if folder == CONFIGS
        else initialize_config_dir(folder, version_base="1.3")
    )
    with begin:
        return compose(where["config_name"], words)


def explain_error(error: Exception, arguments: list[str], where: dict[str, str]) -> str:
    """Return Hydra's message; for an unknown choice or key the valid ones."""
    message = str(error)
    choice = re.search(r"Could not (?:find|load) '([\w/]+)/([^'/]+)'", message)
    if choice:
        return explain_unknown_choice(choice.group(1), choice.group(2), re.findall(r"^\t(\S+)$", message, re.MULTILINE))
    found = re.search(r"Could not override '([\w.@/]+)'", message)
    if not found:
        place = f"{error.override}: cannot be read: " if hasattr(error, "override") else ""
        return place + message.partition("\nSee http")[0].strip()
    key = found.group(1)
    others = [word for word in arguments if "=" in word and not word.startswith(("-", "+", "~", "hydra", key))]
    return f"{key}: there is no such key. {suggest_keys(key, compose_valid_part(others, where))}"


def explain_unknown_choice(group: str, name: str, listed: list[str]) -> str:
    from difflib import get_close_matches

    valid = listed or list(menu.choices(group))
    close = get_close_matches(name, valid, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return f"{group}={name}: there is no such choice.{guess} Valid here: {', '.join(valid) or 'none'}."


def compose_valid_part(overrides: list[str], where: dict[str, str]) -> DictConfig:
    """Return the config without the override that failed."""
    from hydra.errors import HydraException

    try:
        return load_config(overrides, where)
    except HydraException:  # a second mistake: the first is reported first
        return load_config([], where)


def suggest_keys(key: str, config: DictConfig) -> str:
    from difflib import get_close_matches

    from omegaconf import DictConfig, OmegaConf

    parent, _, name = key.rpartition(".")
    while parent and not isinstance(OmegaConf.select(config, parent), DictConfig):
        parent, _, name = parent.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    valid = sorted(str(child) for child in node if not str(child).startswith("_"))
    close = get_close_matches(name, valid, n=1)
    guess = f"Did you mean {parent + '.' if parent else ''}{close[0]}? " if close else ""
    return f"{guess}Valid keys{' under ' + parent if parent else ''}: {', '.join(valid)}."
