"""Checks a user's values against type annotations, and says in words what was expected."""

import inspect
import math
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Any

from annotated_types import Ge, Gt, Le, Lt, MinLen, Unit
from pydantic import ConfigDict, TypeAdapter, ValidationError

from genlab.core.errors import ConfigError

LARGEST = 1e12  # no count, rate or size of a training is above it
MAX_SHOWN = 100  # letters of a value in a message
UNCHECKED = (inspect.Parameter.empty, Any, object)
NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", type(None): "null"}
PATH = "path"  # marks a text that is a path: `core.types.FilePath`


def validate(value: Any, hint: Any, key: str) -> Any:
    """Convert a value to its annotated type: 1e6 for a whole number becomes 1000000. Raises ConfigError.

    No boolean is taken for a number, no number for a boolean, and no text for either.
    """
    if hint in UNCHECKED or isinstance(hint, str):
        return value
    try:
        if fits(value, hint):
            return adapter(hint).validate_python(value)
    except ValidationError:  # out of range, or of another class
        pass
    quotes = f" A text of digits alone stands in quotes: \"{key}='{value}'\"." if is_number(value) else ""
    raise ConfigError(f"{key}={show_value(value)}: expected {in_words(hint)}.{quotes if takes_text(hint) else ''}")


def adapter(hint: Any) -> TypeAdapter:
    return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False))


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value is of a hint's kind, whatever its range."""
    kind, parts = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind is typing.Annotated:
        return fits(value, parts[0])
    if kind in (typing.Union, UnionType):
        return any(fits(value, part) for part in parts)
    if kind is typing.Literal:
        return any(value == part and type(value) is type(part) for part in parts)
    if inspect.isclass(kind) and issubclass(kind, Mapping):
        pairs = value.items() if isinstance(value, Mapping) else ()
        return isinstance(value, Mapping) and all(all(map(fits, pair, parts)) for pair in pairs)
    if inspect.isclass(kind) and issubclass(kind, Sequence | set | frozenset) and kind is not str:
        return isinstance(value, list | tuple) and all(fits(one, parts[0]) for one in value if parts)
    return fits_plain(value, kind)


def fits_plain(value: Any, kind: Any) -> bool:
    """Return whether a value is of a plain kind; of any other kind a check of the class follows."""
    if kind is int:
        return is_number(value) and (isinstance(value, int) or value.is_integer())
    if kind is float:
        return is_number(value)
    if kind in (bool, str):
        return isinstance(value, kind)
    if kind in (None, type(None)):
        return value is None
    is_checked = inspect.isclass(kind) and kind is not Any and not getattr(kind, "_is_protocol", False)
    return isinstance(value, kind) if is_checked else True


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def takes_text(hint: Any) -> bool:
    return hint is str or any(takes_text(part) for part in typing.get_args(hint) if not isinstance(part, str))


def in_words(hint: Any) -> str:
    """Return in words what a hint takes: `a whole number, 1 or more, or null`."""
    kinds = [words for words in map(describe, alternatives(hint)) if words]
    first = sorted(dict.fromkeys(kinds), key="null".__eq__)
    return ("; or " if any(", " in words for words in first) else " or ").join(first) or "another value"


def alternatives(hint: Any) -> Iterator[Any]:
    """Yield the kinds of a union, also of one within another."""
    if typing.get_origin(hint) in (typing.Union, UnionType):
        for part in typing.get_args(hint):
            yield from alternatives(part)
    else:
        yield hint


def describe(hint: Any) -> str:
    """Return one kind in words; nothing for what no value on a command line can be."""
    kind, parts = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind is typing.Annotated:
        return "a path" if PATH in parts else describe(parts[0]) + describe_range(parts[1:])
    if kind is typing.Literal:
        return " or ".join(map(show_value, parts))
    if inspect.isclass(kind) and issubclass(kind, Mapping):
        of_images = bool(parts) and fits(0, parts[0])
        inner = f"{'IMAGES' if of_images else in_words(parts[0])}: {in_words(parts[1])}" if parts else "..."
        return f"a {'staircase' if of_images else 'mapping'} {{{inner}}}"
    if inspect.isclass(kind) and issubclass(kind, Sequence | set) and kind is not str:
        inner = " or ".join(dict.fromkeys(in_words(part) for part in parts if part is not ...))
        count = f"{len(parts)} " if kind is tuple and ... not in parts else ""
        return f"a list of {count}values, each {inner}" if inner else "a list"
    return "an object {_target_: ...}" if kind is Callable else NAMES.get(kind) or describe_class(kind)


def describe_class(kind: Any) -> str:
    """Return how an object of a class is written."""
    inside = getattr(kind, "__module__", "")
    return f"a {kind.__name__.lower()} {{_target_: ...}}" if inside.startswith("genlab.") else ""


def describe_range(limits: tuple[Any, ...]) -> str:
    """Return the unit and the bounds of a number in words, to be set behind it."""
    low = next((limit for limit in limits if isinstance(limit, Ge | Gt)), None)
    high = next((limit for limit in limits if isinstance(limit, Le | Lt)), None)
    least = f", {low.ge:,} or more" if isinstance(low, Ge) else f" above {low.gt:,}" if low else ""
    most = f", at most {high.le:,}" if isinstance(high, Le) else f", below {high.lt:,}" if high else ""
    unit = next((f" of {limit.unit}" for limit in limits if isinstance(limit, Unit)), "")
    return unit + least + most + ", at least one" * any(isinstance(limit, MinLen) for limit in limits)


def show_value(value: Any) -> str:
    """Return a value as it is typed."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def refuse_extreme_numbers(node: Any, key: str = "") -> None:
    """Raise ConfigError for a number that is not finite, or too large for anything, anywhere in a config."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            refuse_extreme_numbers(name, key)
            refuse_extreme_numbers(value, f"{key}.{name}" if key else str(name))
    elif isinstance(node, list | tuple):
        for value in node:
            refuse_extreme_numbers(value, key)
    elif is_number(node) and not abs(node) <= LARGEST:
        finite = isinstance(node, int) or math.isfinite(node)
        reason = f"too large; no number here is above {LARGEST:.0e}" if finite else "not finite"
        raise ConfigError(f"{key}={show_value(node)}: this number is {reason}. Set another one.")
