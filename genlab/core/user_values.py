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
    return isinstance(given, str) or (isinstance(given, Sequence) and len(given) > 0 and isinstance(given[0], str))


def as_numbers(given: Any, description: str, key: str) -> Tensor:
    """Return a user's value as a tensor. Raises ConfigError for texts; `description`: what the model is told."""
    if is_text(given):
        raise ConfigError(
            f"{key}={as_typed(given)}: this model is told {description}, and no words. Train one on data "
            "with words: model=text_gan data=mnist_words, or data.words=caption."
        )
    return torch.as_tensor(given)


def flatten(given: Any) -> list[Any]:
    """Return a user's numbers and texts, one or several, as a list."""
    if isinstance(given, str):
        return [given]
    texts = isinstance(given, Sequence) and any(isinstance(one, str) for one in given)
    return list(given) if texts else torch.as_tensor(given).reshape(-1).tolist()


def class_numbers(given: Any, key: str, count: int, names: Sequence[str]) -> list[int]:
    """Return the numbers of the classes that `key`=`given` asks for. Raises ConfigError for none, or unknown ones."""
    if not names:
        as_numbers(given, f"{count} classes", key)  # refuses texts
    numbers = [number_of(asked, count, names) for asked in flatten(given)]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        typed = ",".join(map(str, flatten(given)))
        typed = typed if isinstance(given, str | int) else f"[{typed}]"
        called = f", or names ({list_names(names)})" if names else ""
        raise ConfigError(f"{key}={typed}: expected whole numbers from 0 to {count - 1}{called}, one or several.")
    return known


def number_of(asked: Any, count: int, names: Sequence[str]) -> int | None:
    """Return the number of a class that is asked for by name or number; None: there is no such class."""
    if asked in names:
        return names.index(asked)
    number = int(asked) if isinstance(asked, str) and asked.isdecimal() else asked
    return int(number) if number in range(count) else None


def list_names(names: Sequence[str], most: int | None = None) -> str:
    """Return the numbers and names of the first classes, by default of all."""
    listed = names if most is None else names[:most]
    more = f" and {len(names) - len(listed)} more" * (len(names) > len(listed))
    return ", ".join(f"{number}: {name}" for number, name in enumerate(listed)) + more
