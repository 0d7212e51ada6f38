"""Reads the words of a command line before Hydra does, so that a mistake is told in genlab's words."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

from genlab.cli import menu
from genlab.cli.comma_lists import quote_values
from genlab.cli.repeated_words import refuse_repeated_keys, refuse_shared_choices
from genlab.cli.synonyms import word_meant
from genlab.cli.windows_paths import refuse_windows_paths
from genlab.core.command_words import typed_word
from genlab.core.errors import ConfigError

FLAGS = ("--multirun", "-m", "--run", "-r", "--resolve", "--hydra-help", "--version", "--shell-completion", "-sc")
VALUED_FLAGS: dict[str, tuple[str, ...]] = {  # those with a value, and the valid ones; (): any
    **dict.fromkeys(("--cfg", "-c"), ("job", "hydra", "all")),
    **dict.fromkeys(("--config-dir", "-cd", "--config-path", "-cp", "--config-name", "-cn", "--package", "-p"), ()),
    **dict.fromkeys(("--info", "-i"), ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")),
}
FOLDER_KEYS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
EXCLUSIVE = {
    ("trainer.images", "trainer.epochs"): "both say how long to train",
    ("resume", "init_from"): "both say which weights to start from",
    ("images", "metrics.images"): "both say how many samples to score",
    ("split", "metrics.split"): "both say which real images to compare with",
    ("run", "between"): "both say what to score",
    ("between", "metrics.images"): "two sides are compared whole, or images=N of the first",
}
SCORE_KEY = re.compile(r"[+~]*metrics(\.|=|/extractor=)")
KEY = re.compile(r"[A-Za-z_][\w/.]*")
CURLY_QUOTES: dict[str, str | int | None] = {"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'"}
PAIRS = {"[": "]", "{": "}", "(": ")"}


def split_flags(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return Hydra's flags, and all other words. Raises ConfigError for what begins with a dash and is no flag."""
    flags: list[str] = []
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        name, _, value = word.partition("=")
        if word in FLAGS:
            flags.append(word)
        elif name in VALUED_FLAGS:
            flags += [name, os.path.expanduser(require_flag_value(name, value or next(rest, "")))]
        elif word.startswith("-"):
            raise ConfigError(explain_dashes(word, next(rest, "")))
        else:
            words.append(word)
    return flags, words


def own_folder(words: list[str]) -> Path | None:
    """Return the user's `--config-dir`."""
    from argparse import ArgumentParser

    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-dir", "-cd", type=Path)
    folder = parser.parse_known_args(words)[0].config_dir
    return folder and folder.expanduser().resolve()


def require_flag_value(flag: str, value: str) -> str:
    valid = VALUED_FLAGS[flag]
    if not value or (valid and value not in valid):
        raise ConfigError(f"{flag} {value}: expected {' or '.join(valid) or 'a value'} after {flag}.")
    return value


def explain_dashes(word: str, following: str) -> str:
    """Return what to type instead of `--key value`."""
    key, _, value = word.lstrip("-").partition("=")
    value = value or ("" if "=" in following or following.startswith("-") else following)
    typed = f"{word} {following}" if value == following and following else word
    return f"{typed}: keys are written without dashes, as KEY=VALUE: {key or 'KEY'}={value or 'VALUE'}. See --help."


def check_words(words: list[str], program: str, folder: Path | None = None) -> None:
    """Raise ConfigError for a word that Hydra cannot read, that gives a group no choice, or that repeats another.

    `folder`: the user's own YAML files.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    refuse_windows_paths(words)
    refuse_both(words)
    if program == "evaluate":
        refuse_in_evaluate(words)
    if program == "sample" and (score := next(filter(SCORE_KEY.match, words), None)):
        raise ConfigError(f"{score}: this program scores nothing; python -m genlab.evaluate does. Leave it out.")
    for place, word in enumerate(words):
        key, sign, _ = word.partition("=")
        if not key.strip("+~ ") or not (sign or word.startswith("~")):
            raise ConfigError(explain_bare_word(words, place, program))
        try:
            override = OverridesParser.create().parse_override(word)
            value = None if override.is_sweep_override() or override.is_delete() else override.value()
        except (HydraException, ValueError) as error:
            raise ConfigError(f"{word}: cannot be read: {explain_unreadable(words[place:])}") from error
        if not (override.is_sweep_override() or override.is_delete()):
            check_value(override.key_or_group, value, word)
            refuse_shared_choices(override.key_or_group, value, word, folder)
    refuse_repeated_keys(words)


def refuse_in_evaluate(words: list[str]) -> None:
    """Raise ConfigError for a word that scoring would ignore."""
    keys = {word.partition("=")[0].lstrip("+~"): word for word in words}
    if "metrics.every" in keys:
        raise ConfigError(f"{keys['metrics.every']}: this program scores once, and has no interval. Leave it out.")
    files = next((word for key, word in keys.items() if re.match(r"files\b|data@files$", key)), None)
    if files and "between" not in keys:
        raise ConfigError(f"{files}: says how between=[A,B] reads files, and a run is scored here. Leave it out.")


def refuse_both(words: list[str]) -> None:
    """Raise ConfigError for two keys of which a run would ignore one."""
    given = {word.partition("=")[0].lstrip("+"): word for word in words if not word.endswith(("=null", "=auto"))}
    for pair, reason in EXCLUSIVE.items():
        if all(key in given for key in pair):
            raise ConfigError(f"{' and '.join(given[key] for key in pair)}: {reason}. Give one of them.")


def check_value(key: str, value: Any, word: str) -> None:
    """Raise ConfigError for a group that is given no name, and for a run directory that is no text."""
    if key in FOLDER_KEYS and not (isinstance(value, str) and value.strip()):
        raise ConfigError(f"{word}: expected a directory, such as {key}=outputs/my_run.")
    names = value if isinstance(value, list) else [value]
    if isinstance(value, dict) or not is_group(key) or all(is_choice_name(name) for name in names):
        return
    wrong = next(name for name in names if not is_choice_name(name))
    if key == "data" and isinstance(wrong, str) and ("/" in wrong or Path(wrong).exists()):
        place = typed_word("data.root", wrong)
        raise ConfigError(f"{word}: expected a kind of data. For files of your own: data=folder {place}")
    raise ConfigError(
        f"{word}: there is no such choice. {menu.none_of(key)}Valid here: {', '.join(menu.choices(key))}."
    )


def is_group(key: str) -> bool:
    return key in (*menu.GROUPS, "experiment", "mode", "features", "format")


def is_choice_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)*", value) is not None


def explain_bare_word(words: list[str], place: int, program: str) -> str:
    """Return what a word without `=` was probably meant to be."""
    word = words[place]
    if joined := joined_word(words, place):
        return f"{joined[0]}: expected KEY=VALUE without spaces or a colon: {joined[1]}"
    wanted = {"train": "resume", "report": "runs"}.get(program, "run")
    if "=" not in word and word and (Path(word).expanduser().is_dir() or "/" in word):
        return f"{word}: expected KEY=VALUE. For a run's directory: {typed_word(wanted, word)}"
    groups = [group for group in (*menu.GROUPS, "experiment") if word in menu.choices(group)]
    if program == "train" and groups:
        return f"{word}: expected KEY=VALUE. Did you mean {groups[0]}={word}?"
    key = word.strip("+~= ")
    if meant := word_meant(key):
        return f"{word}: expected KEY=VALUE. {meant}"
    key = key if KEY.fullmatch(key) and "=" not in word else "KEY"
    return f"{word}: expected KEY=VALUE, such as {key}=VALUE. See --help."


def joined_word(words: list[str], place: int) -> tuple[str, str] | None:
    """Return the words around a bare one as typed, and the KEY=VALUE that they were to be; None for other words."""
    start = place - 1 if place and words[place - 1].endswith("=") else place
    typed = " ".join(words[start : place + 3])
    found = re.match(rf"({KEY.pattern})(?: ?= ?|: ?)([^\s=:\\]+)", typed)
    word, following = words[place], "".join(words[place + 1 : place + 2])
    if not found and is_group(word) and following in menu.choices(word):
        return f"{word} {following}", f"{word}={following}"
    return (found.group(), f"{found.group(1)}={found.group(2)}") if found else None


def explain_unreadable(words: list[str]) -> str:
    """Return what the first of the words lacks that Hydra's grammar does not take."""
    word = words[0]
    key, _, value = word.partition("=")
    if set(word) & set(CURLY_QUOTES):
        return f"its quotes are typographic ones. Type straight ones: {word.translate(str.maketrans(CURLY_QUOTES))}"
    if value.rstrip(",") != value and len(value) > 1 and not describe_imbalance(value):
        return f"it ends in a comma. Write {key}={value.rstrip(',')}"
    if re.fullmatch(r"\([^()]*\)", value):
        return f"a list stands in brackets: '{key}=[{value[1:-1]}]'."
    if "[" in value and (whole := join_brackets(words)):
        return f"a list with spaces stands in quotes: {shlex.quote(whole)}."
    if key == "data" and "/" in value:
        return f"expected a kind of data. For files of your own: data=folder {typed_word('data.root', value)}"
    if value.startswith("="):
        return f"one = stands between key and value. Write {key}={value.lstrip('=')}"
    if quoted := quote_values(word):
        return f"letters beyond ASCII, and signs such as = and ~, stand in quotes: {shlex.quote(quoted)}."
    reason = describe_imbalance(value) or "signs such as = ( ) [ ] { } , : $ and quotes have a meaning here."
    as_text = value.replace("'", "").replace("\\", "")
    return f"{reason} A value that holds them as letters stands in quotes: \"{key}='{as_text}'\"."


def join_brackets(words: list[str]) -> str:
    """Return the words up to a closing bracket as one, if a list was split at its spaces; else nothing."""
    end = next((place for place, word in enumerate(words) if word.endswith("]")), 0)
    whole = " ".join(words[: end + 1])
    return "" if not end or describe_imbalance(whole.partition("=")[2]) else whole


def describe_imbalance(value: str) -> str:
    """Return which bracket or quote has no partner; nothing if all have."""
    for quote in "'\"":
        if value.count(quote) % 2:
            return f"a quote ({quote}) has no partner."
    opened: list[str] = []
    for letter in value:
        if letter in PAIRS:
            opened.append(letter)
        elif letter in PAIRS.values() and (not opened or PAIRS[opened.pop()] != letter):
            return f"{letter} closes nothing."
    return f"{opened[-1]} is not closed by {PAIRS[opened[-1]]}." if opened else ""
