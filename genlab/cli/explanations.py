"""Turns Hydra's errors into one message each: what was found, what is valid, what was probably meant."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlab.cli import menu
from genlab.cli.repeated_words import MENU_LISTS
from genlab.cli.synonyms import KEYS, choices_meant, word_meant
from genlab.core.command_words import typed_word

if TYPE_CHECKING:
    from omegaconf import DictConfig

MAX_EXPLAINED = 4  # wrong keys of one command
SEARCHED = ("optimizer", "trainer", "data", "model", "metrics", "mode", "features", "callbacks", "penalty")
UNKNOWN_CHOICE = re.compile(r"Could not (?:find|load) '([\w/]+)/([^'/]*)'")
UNKNOWN_KEY = re.compile(r"Could not (?:override|delete from config. ?) ?'([^']+)'")


def explain_error(error: Exception, words: list[str], where: dict[str, Any], folder: Path | None) -> str:
    """Return one message for an error of Hydra's or OmegaConf's; `folder`: the user's own YAML files."""
    message = str(error)
    if choice := UNKNOWN_CHOICE.search(message):
        group, name = choice.groups()
        listed = re.findall(r"^\t(\S+)$", message, re.MULTILINE)
        return explain_unknown_choice(group, name, listed or names_in(group, folder))
    if (key := unknown_key_in(message)) and f"~{key}" in words and has_key(key, words, where):
        return f"~{key}: {key} is null, and there is nothing to take away. Leave the word out."
    if key := unknown_key_in(message):
        if where["config_name"] == "report" and key.partition(".")[0] == "data":
            return f"{key}: a report reads no data, only the files of its runs. Leave it out."
        return explain_unknown_keys(key, words, where, folder)
    if doubled := re.search(r"Multiple values for ([\w/]+)\. .*'override [\w/]+: (\w+)'", message):
        group, name = doubled.groups()
        return f"{group}: a YAML of yours chooses {group} a second time. Write `- override /{group}: {name}` there."
    if removed := re.search(r"Could not delete '([\w/]+)'", message):
        group = removed.group(1)
        return f"~{group}: a group stays, and gets another choice. {menu.none_of(group)}See --help."
    if "An item is already at" in message:
        word = next((word for word in words if word.startswith("+") and word.split("=")[0][1:] in message), "+KEY=...")
        return f"{word}: that key is there already: write {word[1:]}"
    if "Ambiguous value" in message or "multirun" in message:
        return explain_sweep_word(words, message)
    return explain_value(error)


def unknown_key_in(message: str) -> str | None:
    found = UNKNOWN_KEY.search(message) or re.search(r"'([^']+)' does not exist", message)
    return found.group(1) if found else None


def has_key(key: str, words: list[str], where: dict[str, Any]) -> bool:
    """Return whether a config has a key, also one that is null, of which Hydra says that it does not exist."""
    from omegaconf import DictConfig, OmegaConf

    from genlab.cli.composition import load_config, search_path

    kept = [word for word in words if "=" in word and not word.startswith(("-", "~"))]
    config = load_config([*search_path(words), *kept], where)
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    return isinstance(node, DictConfig) and name in node


def explain_sweep_word(words: list[str], message: str) -> str:
    word = next((word for word in words if word in message), next((word for word in words if "," in word), ""))
    key, _, value = word.partition("=")
    if re.fullmatch(r"\d{1,3}(,\d{3})+", value):
        return f"{word}: a number has no commas. Write {key}={value.replace(',', '_')}"
    takes_list = key not in (*menu.GROUPS, "experiment") or key in MENU_LISTS
    as_list = f"For a list: {shlex.quote(f'{key}=[{value}]')}; for" if takes_list else "For"
    return f"{word}: several values. {as_list} a run with each: -m {shlex.quote(word)}"


def explain_value(error: Exception) -> str:
    """Return what is wrong with a value that cannot be resolved or put where it was."""
    cause: Any = error
    while cause.__cause__ is not None and not getattr(cause, "full_key", None):
        cause = cause.__cause__
    key, kind = getattr(cause, "full_key", None) or "", type(cause).__name__
    text = (str(cause).strip().splitlines() or [kind])[0]
    word = re.search(r"Error merging override (.*)", str(error))
    place = f"{word.group(1) if word else key}: "
    names = re.findall(r"'([^']+)'", text)
    if kind == "MissingMandatoryValue":
        return f"{key}=...: is needed. See --help."
    if "Interpolation" in kind or "Grammar" in kind or "interpolation" in text.lower():
        name = names[0] if names else "..."
        return f"{place}${{{name}}} refers to nothing here: name another key of the config, or quote it."
    if word:
        return f"{place}cannot be set there: what it names lies inside a plain value, or is a mapping of other keys."
    return place + text


def explain_unknown_choice(group: str, name: str, valid: list[str]) -> str:
    from difflib import get_close_matches

    close = choices_meant(group, name, valid) or get_close_matches(name, valid, n=1)
    guess = f" Did you mean {' or '.join(close)}?" if close else ""
    if group == "data" and not guess and Path(name).exists():
        guess = f" For files of your own: data=folder {typed_word('data.root', name)}"
    return f"{group}={name}: there is no such choice.{guess} Valid here: {', '.join(valid) or 'none'}."


def names_in(group: str, folder: Path | None) -> list[str]:
    """Return the choices of a group: the menu's, and those in the user's folder."""
    own = sorted(path.stem for path in (folder / group).glob("*.yaml")) if folder else []
    return [*menu.choices(group), *own]


def explain_unknown_keys(key: str, words: list[str], where: dict[str, Any], folder: Path | None) -> str:
    """Return a line for each unknown key of a command, the first of which is `key`."""
    from hydra.errors import HydraException

    from genlab.cli.composition import load_config, search_path

    rest = [word for word in words if "=" in word and not word.startswith(("-", "~", "hydra"))]
    wrong: list[str] = []
    while key and len(wrong) < MAX_EXPLAINED:
        wrong.append(key)
        rest = [word for word in rest if word.lstrip("+").partition("=")[0] not in wrong]
        try:
            config = load_config([*search_path(words), *rest], where)
            break
        except HydraException as error:  # another mistake
            key = unknown_key_in(str(error)) or ""
    else:
        config = load_config([], where)
    return "\n".join(f"{one}: there is no such key. {suggest_keys(one, config)}" for one in wrong)


def suggest_keys(key: str, config: DictConfig) -> str:
    """Return what an unknown key was probably meant to be, and the valid keys beside it."""
    from difflib import get_close_matches

    from omegaconf import DictConfig, OmegaConf

    groups = [group for group in menu.GROUPS if group.partition("/")[0] in config]
    if "." not in key and (word := word_meant(key, groups)):
        return word
    if meant := keys_meant(key, config):
        return f"Did you mean {' or '.join(meant)}?"
    if part := part_not_chosen(key, config):
        return part
    parent, _, name = key.rpartition(".")
    while parent and not isinstance(OmegaConf.select(config, parent), DictConfig):
        parent, _, name = parent.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if takes_argument(node, name, parent):
        return f"{node._target_} takes it all the same: write +{key}=VALUE"
    valid = sorted(str(child) for child in node if not str(child).startswith("_"))
    if not valid:
        reason = f"as {node._target_} takes no values" if "_target_" in node else "as nothing is chosen there"
        return f"{parent} has no keys, {reason}. Leave it out."
    close = get_close_matches(name, valid, n=1)
    guess = f"Did you mean {parent + '.' if parent else ''}{close[0]}? " if close else ""
    return f"{guess}Valid keys{' under ' + parent if parent else ''}: {', '.join(valid)}."


def takes_argument(node: Any, name: str, key: str) -> bool:
    """Return whether the class that a config's node names takes an argument that the node lacks."""
    from genlab.build.targets import accepted_arguments, locate  # late: torch takes seconds

    return "_target_" in node and name in accepted_arguments(locate(node._target_, key)) and name not in node


def keys_meant(key: str, config: DictConfig) -> list[str]:
    """Return the keys that end in a name typed alone: `lr` gives those of the optimizers."""
    head, _, last = key.rpartition(".")
    names = KEYS.get(last.lower(), (last,))
    if "hydra.run.dir" in names and not head:
        return ["to" if "to" in config else names[0]]
    if not head and (top := [name for name in names if name in config and name != key]):
        return top[:1]
    for group in SEARCHED:
        paths = [group, *key_paths(config.get(group), group)]
        found = [path for path in paths if path.startswith(head) and any(ends_in(path, name) for name in names)]
        nearest = [path for path in found if path.count(".") == min(other.count(".") for other in found)]
        if nearest:
            return nearest[:MAX_EXPLAINED]
    return []


def ends_in(path: str, name: str) -> bool:
    return path == name or path.endswith(f".{name}")


def key_paths(node: Any, key: str) -> Iterator[str]:
    from omegaconf import DictConfig

    if isinstance(node, DictConfig):
        for name in map(str, node):
            yield f"{key}.{name}"
            yield from key_paths(node._get_node(name), f"{key}.{name}")


def part_not_chosen(key: str, config: DictConfig) -> str:
    """Return how a penalty or augmentation is chosen whose keys were set; nothing for other keys."""
    group, _, rest = key.partition(".")
    name = rest.partition(".")[0]
    if group not in ("penalty", "augment") or name not in menu.choices(group) or name in config[group]:
        return ""
    return f"{name} is not chosen: add {group}=[{','.join([*config[group], name])}]"
