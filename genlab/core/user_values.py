"""What users write where they ask for conditions: numbers, names and texts."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor

from genlab.core.errors import ConfigError

MAX_NAMES = 20  # that a message lists; of more it gives the nearest
MAX_NEAREST = 3  # known names beside an unknown one


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


def to_list(given: Any) -> list[Any]:
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
    asked = to_list(given)
    if asked and all(one in names for one in asked):
        return [names.index(one) for one in asked]
    numbers = [number_of(one, count) for one in asked]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        typed = ",".join(map(as_word, asked))
        typed = typed if isinstance(given, str | int) else f"[{typed}]"
        unknown = [as_word(one) for one in asked if one not in names]
        raise ConfigError(f"{key}={typed}: expected {expected_classes(count, names, unknown)}.")
    return known


def attribute_rows(given: str | Sequence[str], key: str, names: Sequence[str]) -> list[list[float]]:
    """Return a row of attributes for each text: 1 for those it names, joined by `+`, and 0 for the others.

    `none` names none. Raises ConfigError for unknown names.
    """
    texts = [given] if isinstance(given, str) else given
    asked = [attribute_names(text, names) for text in texts]
    for name in (name for row in asked for name in row):
        if name not in names:
            raise ConfigError(
                f"{key}={as_typed(given)}: this model is told {len(names)} attributes, and none is called {name} "
                f"(nearest: {', '.join(nearest(name, names))}). Name those that are 1, joined by +, or give rows of "
                f"{len(names)} numbers."
            )
    return [[float(name in row) for name in names] for row in asked]


def attribute_names(text: str, names: Sequence[str]) -> list[str]:
    """Return the names that are joined by `+`; [] for `none`. One of `names` may hold a + itself."""
    asked = [text] if text in names else [name.strip() for name in text.split("+")]
    return [] if asked == ["none"] and "none" not in names else asked


def number_of(asked: Any, count: int) -> int | None:
    """Return the number of a class that is asked for by number; None: there is no such class."""
    number = int(asked) if isinstance(asked, str) and asked.isdecimal() else asked
    return int(number) if isinstance(number, int | float) and number in range(count) else None


def expected_classes(count: int, names: Sequence[str], unknown: Sequence[str]) -> str:
    """Return what a user can write for classes, in words: all names, or of many those nearest to the unknown ones."""
    near = {name: None for one in unknown for name in nearest(one, names)}
    listed = list_names(names) if len(names) <= MAX_NAMES else f"nearest: {', '.join(map(quote_commas, near))}"
    return f"class numbers from 0 to {count - 1}" + (f", or names ({listed})" if names else "")


def nearest(name: str, names: Sequence[str]) -> list[str]:
    """Return the names that are spelled most alike."""
    return get_close_matches(name, names, n=MAX_NEAREST, cutoff=0.0)


def list_names(names: Sequence[str], most: int | None = None) -> str:
    """Return the numbers and names of the first classes, by default of all; names with commas stand in quotes."""
    listed = names if most is None else names[:most]
    more = f" and {len(names) - len(listed)} more" * (len(names) > len(listed))
    return ", ".join(f"{number}: {quote_commas(name)}" for number, name in enumerate(listed)) + more


def quote_commas(name: str) -> str:
    """Return a name as a list on a command line takes it: in quotes if it holds a comma."""
    return f'"{name}"' if "," in name else name
