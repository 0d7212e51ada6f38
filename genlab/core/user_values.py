"""What users write where they ask for conditions: numbers, names and texts."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genlab.core.errors import ConfigError


def as_typed(given: Any) -> str:
    """Return a user's value as it was typed."""
    return given if isinstance(given, str) else str(given.tolist() if isinstance(given, Tensor) else given)


def is_text(given: Any) -> bool:
    """Return whether a user's value is a text or a list of texts."""
    several = isinstance(given, Sequence) and len(given) > 0 and all(isinstance(one, str) for one in given)
    return isinstance(given, str) or several


def as_numbers(given: Any, description: str, key: str) -> Tensor:
    """Return a user's value as a tensor. Raises ConfigError for texts; `description`: what the model is told."""
    refuse_texts(given, description, key)
    try:
        return torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{key}={as_typed(given)}: expected numbers; this model is told {description}.") from error


def refuse_texts(given: Any, description: str, key: str) -> None:
    if is_text(given):
        raise ConfigError(
            f"{key}={as_typed(given)}: this model is told {description}, and no words. Train one on data "
            "with words: model=text_gan data=mnist_words, or data.words=caption."
        )


def flatten(given: Any) -> list[Any]:
    """Return a user's numbers and texts, one or several, as a list."""
    if isinstance(given, str):
        return [given]
    try:
        return torch.as_tensor(given).reshape(-1).tolist()
    except (TypeError, ValueError, RuntimeError):  # texts, or what is no number
        return list(given)


def as_word(value: Any) -> str:
    """Return one value as it is written on a command line."""
    return "null" if value is None else str(value)


def class_numbers(given: Any, key: str, count: int, names: Sequence[str]) -> list[int]:
    """Return the numbers of the classes that `key`=`given` asks for: all by name, or all by number.

    Raises ConfigError for none, for unknown ones, and for names among numbers.
    """
    if not names:
        refuse_texts(given, f"{count} classes", key)
    asked = flatten(given)
    if asked and all(one in names for one in asked):
        return [names.index(one) for one in asked]
    numbers = [number_of(one, count) for one in asked]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        typed = ",".join(map(as_word, asked))
        typed = typed if isinstance(given, str | int) else f"[{typed}]"
        raise ConfigError(f"{key}={typed}: expected {expected_classes(count, names)}.")
    return known


def number_of(asked: Any, count: int) -> int | None:
    """Return the number of a class that is asked for by number; None: there is no such class."""
    number = int(asked) if isinstance(asked, str) and asked.isdecimal() else asked
    return int(number) if isinstance(number, int | float) and number in range(count) else None


def expected_classes(count: int, names: Sequence[str] = ()) -> str:
    """Return what a user can write for classes, in words."""
    return f"class numbers from 0 to {count - 1}" + (f", or names ({list_names(names)})" if names else "")


def list_names(names: Sequence[str], most: int | None = None) -> str:
    """Return the numbers and names of the first classes, by default of all; names with commas stand in quotes."""
    listed = names if most is None else names[:most]
    more = f" and {len(names) - len(listed)} more" * (len(names) > len(listed))
    return ", ".join(f"{number}: {quoted(name)}" for number, name in enumerate(listed)) + more


def quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name
