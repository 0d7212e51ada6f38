"""The rules by which a command line's end is judged, written before any line was run."""

import math
import re
from dataclasses import dataclass
from typing import Any

from genlab.cli.path_words import is_path_key
from tests.fuzzing.lines import MISSING, Line

JARGON = (
    *("LexerNoViableAlt", "NoViableAlt", "extraneous input", "mismatched input", "no viable", "token recognition"),
    *("pydantic", "validation error", "Input should be", "usage:", "Traceback", "state_dict", "size mismatch", "EOF"),
    *("InstantiationException", "InterpolationKeyError", "Error instantiating", "hydra._internal", "omegaconf"),
    *("full_key:", "object_type", "HYDRA_FULL_ERROR", "resumed_run", "positional argument", "NoneType", "ListConfig"),
    *("DictConfig", "has no attribute", "not supported between", "unsupported operand", "not subscriptable"),
    *("not iterable", "__init__()"),
)
MOST_LINES = 12
MOST_LETTERS = 3000
LARGEST = 1e12  # any number above is nonsense
TEXT_OR_NUMBER = ("checkpoint", "class", "classes", "words")
OPEN = ("metrics.metrics", "penalty", "augment", "callbacks")  # mappings whose names are the user's


@dataclass(frozen=True)
class End:
    """How a command line ended."""

    code: int | None  # None: by an exception
    message: str  # all it wrote to stderr, or the traceback
    seconds: float = 0.0


def faults(line: Line, end: End) -> list[str]:
    """Return what is wrong with a command line's end; nothing if it is right."""
    if end.code is None:
        return [f"exception: {end.message.strip().splitlines()[-1]}"]
    if end.code not in (0, 2) and not (end.code == 3 and "out of memory" in end.message):
        return [f"exit code {end.code}: {end.message[:300]}"]
    if end.code == 0:
        reason = nonsense(line)
        return [f"accepted: {reason}"] if reason else []
    return faults_of_message(line, end.message)


def faults_of_message(line: Line, message: str) -> list[str]:
    found = [f"jargon: {word}" for word in JARGON if word in message and word not in line.word]
    if len(message.strip().splitlines()) > MOST_LINES or len(message) > MOST_LETTERS:
        found.append(f"{len(message.strip().splitlines())} lines, {len(message)} letters")
    if line.key and line.is_sound and not names_key(line.key, message):
        found.append(f"does not name {line.key}")
    return found


def names_key(key: str, message: str) -> bool:
    """Return whether a message names a key: whole, or its last two parts, or the key of what lies above it."""
    parts = key.split(".")
    names = [parts[-1], *(".".join(parts[:count]) for count in range(1, len(parts) + 1))]
    return any(re.search(rf"\b{re.escape(name)}\b", message) for name in names)


def nonsense(line: Line) -> str | None:
    """Return why a word can mean nothing; None: it may have a meaning."""
    if not line.key or "=" not in line.word:
        return None
    text = line.word.partition("=")[2]
    if line.before is MISSING:
        return None if line.key.rpartition(".")[0] in OPEN and text in ("null",) else "an unknown key"
    return wrong_kind(line.key, line.before, parse(text))


def parse(text: str) -> Any:
    """Return a boolean, a number, None or the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text in ("null", ""):
        return None
    try:
        return float(text)
    except ValueError:
        return text


def wrong_kind(key: str, before: Any, value: Any) -> str | None:
    """Return why a value is of the wrong kind for a key that holds `before`."""
    if is_path_key(key):
        return None  # a file may be called anything
    is_number = isinstance(value, float)
    if is_number and not (math.isfinite(value) and abs(value) <= LARGEST) and not isinstance(before, str):
        return "a number not finite, or above 1e12"
    if key in TEXT_OR_NUMBER or value is None or (isinstance(value, str) and value[:1] in "[{$"):
        return None
    if isinstance(before, bool):
        return None if isinstance(value, bool) else "no boolean where one is expected"
    if isinstance(before, int | float):
        return None if is_number else "no number where one is expected"
    if isinstance(before, str) and isinstance(value, bool):
        return "a boolean for a text"
    return "a scalar for a mapping" if isinstance(before, dict) and (is_number or isinstance(value, bool)) else None
