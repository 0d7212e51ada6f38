"""Compose configs from a command line's words, and explain mistakes in them in one message."""

from __future__ import annotations

import re
from pathlib import Path
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


def load_config(words: list[str], where: dict[str, Any]) -> DictConfig:
    from hydra import compose, initialize, initialize_config_module

    module = where["config_path"]  # None: a resumed run's, which Hydra was handed
    with initialize_config_module(module[6:], version_base="1.3") if module else initialize(None, version_base="1.3"):
        return compose(where["config_name"], words)


def replace_mappings(words: list[str], where: dict[str, Any]) -> list[str]:
    """Return the words such that `key={...}` takes the place of a mapping with other keys.

    Hydra merges the two, so that neither a staircase `{0: 1, 2000: 2}` nor an object of another class could be given
    where a config has an object already.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    given = [word for word in words if "=" in word and not word.startswith("-")]
    if not any("={" in word for word in given):
        return words
    try:
        overrides = [one for one in OverridesParser.create().parse_overrides(given) if not one.is_sweep_override()]
        whole = {one.input_line: one for one in overrides if is_staircase_or_object(one.value())}
        config = load_config([*search_path(words), *(word for word in given if word not in whole)], where)
    except HydraException:  # a mistake in a word, which is explained when the words are composed
        return words
    replaced = {
        word: f"~{one.key_or_group}"
        for word, one in whole.items()
        if has_other_keys(OmegaConf.select(config, one.key_or_group), one.value())
    }
    return [part for word in words for part in ((replaced[word], f"+{word}") if word in replaced else (word,))]


def is_staircase_or_object(value: Any) -> bool:
    return isinstance(value, dict) and ("_target_" in value or any(isinstance(key, int) for key in value))


def has_other_keys(node: Any, value: Any) -> bool:
    from omegaconf import DictConfig

    return isinstance(node, DictConfig) and bool(set(value) - set(node))


def own_folder(words: list[str]) -> Path | None:
    """Return the user's `--config-dir`."""
    from argparse import ArgumentParser

    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-dir", "-cd", type=Path)
    folder = parser.parse_known_args(words)[0].config_dir
    return folder and folder.expanduser().resolve()


def search_path(words: list[str]) -> list[str]:
    """Return the user's `--config-dir` as an override, which Hydra's compose function takes."""
    folder = own_folder(words)
    return [f"hydra.searchpath=[file://{folder}]"] if folder else []


def explain_error(error: Exception, arguments: list[str], where: dict[str, Any]) -> str:
    """Return Hydra's message; for an unknown choice or key the valid ones."""
    message = str(error)
    choice = re.search(r"Could not (?:find|load) '([\w/]+)/([^'/]+)'", message)
    if choice:
        listed = re.findall(r"^\t(\S+)$", message, re.MULTILINE)
        group, name = choice.groups()
        return explain_unknown_choice(group, name, listed or names_in(group, own_folder(arguments)))
    found = re.search(r"Could not override '([\w.@/]+)'", message)
    if not found:
        place = f"{error.override}: cannot be read: " if hasattr(error, "override") else ""
        return place + message.partition("\nSee http")[0].strip()
    key = found.group(1)
    others = [word for word in arguments if "=" in word and not word.startswith(("-", "+", "~", "hydra", key))]
    others = [*search_path(arguments), *others]
    return f"{key}: there is no such key. {suggest_keys(key, compose_valid_part(others, where))}"


def names_in(group: str, folder: Path | None) -> list[str]:
    """Return the choices of a group: the menu's, and those in the user's folder."""
    own = sorted(path.stem for path in (folder / group).glob("*.yaml")) if folder else []
    return [*menu.choices(group), *own]


def explain_unknown_choice(group: str, name: str, valid: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, valid, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return f"{group}={name}: there is no such choice.{guess} Valid here: {', '.join(valid) or 'none'}."


def compose_valid_part(overrides: list[str], where: dict[str, Any]) -> DictConfig:
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
    if not valid:
        return f"{parent} has no keys, as nothing is chosen there."
    close = get_close_matches(name, valid, n=1)
    guess = f"Did you mean {parent + '.' if parent else ''}{close[0]}? " if close else ""
    return f"{guess}Valid keys{' under ' + parent if parent else ''}: {', '.join(valid)}."
