"""Commands as they can be pasted back: values quoted for Hydra, words quoted for a shell."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PLAIN = re.compile(r"[A-Za-z0-9_./-]*")  # what neither Hydra nor a shell gives a meaning
NO_TEXT = re.compile(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf|nan|true|false|null|", re.IGNORECASE)


def as_override(value: Any) -> str:
    """Return a value as it is written on a command line, without the shell's quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {as_override(child)}" for name, child in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_override, value))}]"
    if isinstance(value, str | Path):
        return quote_text(re.sub(r"(\\*)\$\{", r"\1\1\\${", str(value)))  # else OmegaConf looks for a key of that name
    plain = {None: "null", True: "true", False: "false"}
    return plain[value] if value is None or isinstance(value, bool) else str(value)


def quote_text(text: str) -> str:
    """Return a text such that Hydra reads it as it is; `${...}` in it still refers to another key."""
    if PLAIN.fullmatch(text) and not NO_TEXT.fullmatch(text):
        return text
    escaped = re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + ('\\"' if found[2] else ""), text)
    return f'"{escaped}"'


def typed_word(key: str, value: Any) -> str:
    """Return the word that gives a key a value, quoted for a shell."""
    return shlex.quote(f"{key}={as_override(value)}")


def path_word(key: str, path: str | Path) -> str:
    """Return the word that gives a key a path, quoted for a shell; a leading `~` stays the letter that it is."""
    return typed_word(key, f"./{path}" if str(path).startswith("~") else path)
