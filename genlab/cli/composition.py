"""Compose configs from a command line's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genlab.cli.comma_lists import bracket_lists
from genlab.cli.explanations import explain_error
from genlab.cli.keys import check_keys
from genlab.cli.own_files import explain_yaml
from genlab.cli.path_words import quote_paths
from genlab.cli.words import check_words, own_folder, split_flags
from genlab.core.command_words import as_override
from genlab.core.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig

CONFIGS = "pkg://genlab.configs"


def compose(name: str, words: list[str]) -> dict:
    """Return the resolved config `name` with `key=value` words applied. Raises ConfigError for a wrong word."""
    flags, words = split_flags(words)
    if flags:
        raise ConfigError(f"{' '.join(flags)}: this program takes no such flag, only KEY=VALUE. See --help.")
    where, words = {"config_path": CONFIGS, "config_name": name}, bracket_lists(quote_paths(words, sweeps=False))
    check_words(words, name)
    with explained_errors(words, where):
        return check_keys(load_config([*without_metrics_of_data(words, name), *words], where), name)


def without_metrics_of_data(words: list[str], name: str) -> list[str]:
    """Return the word by which a data set brings no metrics to a program that is given none: they are of training."""
    none = {"evaluate": "none", "sample": "[]"}.get(name)
    given = any(word.partition("=")[0].lstrip("+") == "metrics" for word in words)
    return [] if given or none is None else [f"metrics={none}"]


@contextmanager
def explained_errors(words: list[str], where: dict[str, Any]) -> Iterator[None]:
    """Raise Hydra's and OmegaConf's errors as ConfigError, in genlab's words."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        yield
    except (YAMLError, UnicodeDecodeError) as error:  # in a file that a user's YAML names in turn
        raise ConfigError(explain_yaml(error)) from error
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(explain_error(error, words, where, own_folder(words))) from error


@contextmanager
def set_outer_hydra_aside() -> Iterator[None]:
    """Let a user's own Hydra application call `genlab.run`: Hydra knows one application a process."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig

    outer, config = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg = outer, config


def load_config(words: list[str], where: dict[str, Any]) -> DictConfig:
    from hydra import compose, initialize, initialize_config_module

    module = where["config_path"]  # None: a resumed run's, which Hydra was handed
    with initialize_config_module(module[6:], version_base="1.3") if module else initialize(None, version_base="1.3"):
        return compose(where["config_name"], words)


def replace_mappings(words: list[str], where: dict[str, Any]) -> list[str]:
    """Return the words such that `key={...}` takes the place of a mapping with other keys or of another class.

    Hydra merges the two, so that neither a staircase `{0: 1, 2000: 2}` nor an object of another class could be given
    where a config has an object already.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    given = [word for word in words if "=" in word and not word.startswith("-")]
    if not any("={" in word for word in given):
        return words
    try:
        overrides = [one for one in OverridesParser.create().parse_overrides(given) if not one.is_sweep_override()]
        whole = {one.input_line: one for one in overrides if is_staircase_or_object(one.value())}
        config = load_config([*search_path(words), *(word for word in given if word not in whole)], where)
    except (HydraException, OmegaConfBaseException):  # a mistake in a word, explained when the words are composed
        return words
    replaced = {
        word: f"~{one.key_or_group}"
        for word, one in whole.items()
        if is_another_object(OmegaConf.select(config, one.key_or_group), one.value())
    }
    return [part for word in words for part in ((replaced[word], f"+{word}") if word in replaced else (word,))]


def is_staircase_or_object(value: Any) -> bool:
    return isinstance(value, dict) and ("_target_" in value or any(isinstance(key, int) for key in value))


def is_another_object(node: Any, value: Any) -> bool:
    """Return whether a mapping is of another class than a config's, or has other keys."""
    from omegaconf import DictConfig

    if not isinstance(node, DictConfig):
        return False
    return bool(set(value) - set(node)) or value.get("_target_", node.get("_target_")) != node.get("_target_")


def search_path(words: list[str]) -> list[str]:
    """Return the user's `--config-dir` as an override, which Hydra's compose function takes."""
    folder = own_folder(words)
    return [f"hydra.searchpath={as_override([f'file://{folder}'])}"] if folder else []
