"""Configs from a command line's words, and mistakes in them told in one message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from genlab.cli import menu
from genlab.core.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIGS = "pkg://genlab.configs"


def compose(name: str, words: list[str]) -> dict:
    """The resolved config `name` with `key=value` words over it. Raises ConfigError for a word that cannot be."""
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    where = {"config_path": CONFIGS, "config_name": name}
    try:
        return OmegaConf.to_container(loaded(words, where), resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise ConfigError(f"{error.full_key}=...: is needed. See --help.") from error
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain(error, words, where)) from error


def loaded(words: list[str], where: dict[str, str]) -> DictConfig:
    from hydra import compose, initialize_config_dir, initialize_config_module

    folder = where["config_path"]
    begin = (
        initialize_config_module(CONFIGS[6:], version_base="1.3")
        if folder == CONFIGS
        else initialize_config_dir(folder, version_base="1.3")
    )
    with begin:
        return compose(where["config_name"], words)


def explain(error: Exception, arguments: list[str], where: dict[str, str]) -> str:
    """Hydra's message; for a choice or key that is not there, those that are."""
    message = str(error)
    choice = re.search(r"Could not (?:find|load) '([\w/]+)/([^'/]+)'", message)
    if choice:
        return no_such_choice(*choice.groups(), re.findall(r"^\t(\S+)$", message, re.MULTILINE))
    found = re.search(r"Could not override '([\w.@/]+)'", message)
    if not found:
        where_it_is = f"{error.override}: cannot be read: " if hasattr(error, "override") else ""
        return where_it_is + message.partition("\nSee http")[0].strip()
    key = found.group(1)
    others = [word for word in arguments if "=" in word and not word.startswith(("-", "+", "~", "hydra", key))]
    return f"{key}: there is no such key. {suggestions(key, composed(others, where))}"


def no_such_choice(group: str, name: str, listed: list[str]) -> str:
    from difflib import get_close_matches

    valid = listed or list(menu.choices(group))
    close = get_close_matches(name, valid, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return f"{group}={name}: there is no such choice.{guess} Valid here: {', '.join(valid) or 'none'}."


def composed(overrides: list[str], where: dict[str, str]) -> DictConfig:
    """The config without the override that failed."""
    from hydra.errors import HydraException

    try:
        return loaded(overrides, where)
    except HydraException:  # a second mistake: the first is told first
        return loaded([], where)


def suggestions(key: str, config: DictConfig) -> str:
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
