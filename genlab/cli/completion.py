"""Tab completion: `genlab completion bash` prints what a shell needs, which asks `genlab completion words ...`.

It answers without torch and without Hydra, whose own completion composes the config at every key press.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from typing import Any

from genlab.cli.annotated_words import annotated_words
from genlab.cli.menu_tree import MenuTree
from genlab.cli.path_words import is_path_key
from genlab.cli.repeated_words import MENU_LISTS
from genlab.cli.shell_scripts import SCRIPTS
from genlab.cli.words import FLAGS, VALUED_FLAGS, own_folder

PROGRAMS = ("train", "evaluate", "sample", "project", "export", "report")
TRAIN_FLAGS = ("--help", *(flag for flag in (*FLAGS, *VALUED_FLAGS) if flag.startswith("--")))
RUN_KEYS = ("run", "runs", "resume", "init_from")  # directories
KNOWN_WORDS = {  # of keys whose classes list none
    "device": ("auto", "cpu", "cuda", "mps"),
    "checkpoint": ("best", "newest"),
    "split": ("train", "test", "holdout"),
    "resume": ("auto",),
}
USAGE = """\
Prints what lets a shell complete programs, choices, keys, values and files after `genlab` with the Tab key.

  eval "$(genlab completion bash)"      in ~/.bashrc
  eval "$(genlab completion zsh)"       in ~/.zshrc
  genlab completion fish | source       in ~/.config/fish/config.fish
"""


def main(arguments: list[str]) -> int:
    """Print a shell's script, or the candidates for the last of some words (`words ...`, bash: `line TEXT`)."""
    kind, *rest = arguments or [""]
    if kind in SCRIPTS and not rest:
        print(SCRIPTS[kind], end="")
    elif kind == "words":
        print("\n".join(candidates(rest)))
    elif kind == "line":
        print("\n".join(bash_candidates(rest[0])))
    elif kind in ("--help", "-h"):
        print(USAGE)
    else:
        print(f"{USAGE}\nConfigError: completion {' '.join(arguments)}: expected bash, zsh or fish.", file=sys.stderr)
        return 2
    return 0


def candidates(words: list[str]) -> list[str]:
    """Return what the last of the words that follow `genlab` may become."""
    program, *typed, word = words if len(words) > 1 else ["", *words, ""][:2]
    if not program:
        return beginning_with(word, (*PROGRAMS, "completion", "--help", "--version"))
    if program == "completion":
        return beginning_with(word, SCRIPTS)
    if program not in PROGRAMS:
        return []
    if program == "train" and typed and typed[-1] in VALUED_FLAGS:
        return beginning_with(word, VALUED_FLAGS[typed[-1]]) or list(files(word, only_folders=True))
    if word.startswith("-"):
        return beginning_with(word, TRAIN_FLAGS if program == "train" else ("--help",))
    tree = MenuTree(program, choices_in(typed), own_folder(typed))
    key, sign, value = word.partition("=")
    if sign:
        return [f"{key}={one}" for one in values(key.lstrip("+"), value, tree)]
    return list(keys(word, tree))


def beginning_with(start: str, names: Any) -> list[str]:
    return [name for name in names if name.startswith(start)]


def choices_in(words: list[str]) -> dict[str, list[str]]:
    """Return the choices that words make: the first of a sweep's, all of a list's."""
    pairs = (word.lstrip("+").partition("=") for word in words if "=" in word and "." not in word.partition("=")[0])
    return {
        key: value.strip("[]").split(",")[: None if value.startswith("[") or key in MENU_LISTS else 1]
        for key, _, value in pairs
        if value
    }


def keys(word: str, tree: MenuTree) -> Iterator[str]:
    """Yield the groups and keys that begin with a word; of those with more inside the next part alone."""
    start = word.lstrip("+~")
    sign = word[: len(word) - len(start)]
    parent, dot, _ = start.rpartition(".")
    if not dot:
        yield from (f"{sign}{group}=" for group in tree.groups if group.startswith(start))
    node = tree.node(parent)
    for name, value in node.items() if isinstance(node, dict) else ():
        key = f"{parent}{dot}{name}"
        if key.startswith(start) and not str(name).startswith("_") and (value or key not in tree.groups):
            yield f"{sign}{key}{'.' if isinstance(value, dict) and value else '='}"


def values(key: str, value: str, tree: MenuTree) -> Iterator[str]:
    """Yield what a key's value may become; in a list, what its last entry may."""
    parts = re.fullmatch(r"(.*[\[,])?(.*)", value, re.DOTALL)
    before, start = (parts[1] or "", parts[2]) if parts else ("", value)
    if key in tree.groups:
        used = before.strip("[,").split(",")
        yield from (before + name for name in beginning_with(start, tree.names(key)) if name not in used)
    elif is_path_key(key):
        yield from beginning_with(value, KNOWN_WORDS.get(key, ()))
        yield from (before + path for path in files(start, only_folders=key in RUN_KEYS))
    else:
        yield from beginning_with(value, plain_values(key, tree))


def plain_values(key: str, tree: MenuTree) -> list[str]:
    """Return the words that a key may be set to: those of its class's annotation, and true and false."""
    parent, _, name = key.rpartition(".")
    node = tree.node(parent)
    target = node.get("_target_") if isinstance(node, dict) else None
    if isinstance(tree.node(key), bool):
        return ["true", "false"]
    words = annotated_words(target, name) if isinstance(target, str) else []
    return words or list(KNOWN_WORDS.get(name, ()))


def files(start: str, *, only_folders: bool = False) -> Iterator[str]:
    """Yield the paths that begin with a text, folders with a slash behind."""
    folder, name = os.path.split(start)
    try:
        found = sorted(os.scandir(os.path.expanduser(folder) or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.name.startswith(name or "") and (name.startswith(".") or not entry.name.startswith(".")):
            if entry.is_dir():
                yield os.path.join(folder, entry.name, "")
            elif not only_folders:
                yield os.path.join(folder, entry.name)


def bash_candidates(line: str) -> list[str]:
    """Return the candidates for the end of a line, as bash puts them in place of what follows the last `=` or `:`."""
    words = split_line(line)
    kept = re.match(r".*[=:]|", words[-1], re.DOTALL)
    length = len(kept[0]) if kept else 0
    return [re.sub(r"([\s\"'`$&|;<>()*?!#\\])", r"\\\1", one[length:]) for one in candidates(words)]


def split_line(line: str) -> list[str]:
    """Return the words after `genlab`, as a shell splits them; the last may be empty, or lack its closing quote."""
    end = "x"  # shows where the last word begins
    for quote in ("", "'", '"'):
        try:
            words = shlex.split(line + end + quote)
            break
        except ValueError:
            words = (line + end).split()
    names = [os.path.basename(word) for word in words]
    words = words[names.index("genlab") + 1 :] if "genlab" in names else words[1:]
    return [*words[:-1], words[-1].removesuffix(end)] if words else [""]
