"""Checks a config's values against the signatures of what they are for, and makes the objects that they describe."""

import inspect
import logging
import re
import sysconfig
import typing
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from traceback import extract_tb
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from genlab.build.targets import PLAIN, SPECIAL, accepted_arguments, bare_type, locate, require_fitting_object
from genlab.core.errors import ConfigError, GenlabError
from genlab.core.schedule import Schedule
from genlab.core.validation import alternatives, in_words, show_value, validate

LISTS = ("penalty", "augment", "optimizer", "callbacks")  # groups whose every key is an object
ARGUMENTS = re.compile(r"(missing|unexpected|takes|given|got multiple)\b.*argument")  # Python's words about a call
INSTALLED = ("<", str(Path(__file__).parents[1]), *sysconfig.get_paths().values())  # where no code of a user lies
PASSED = {"data", "params", "run", "spec", "system"}  # arguments that genlab gives, which no config sets
ANY_TOTAL = 1_000_000  # images, to try a schedule with
logging.getLogger("hydra.utils").setLevel(logging.CRITICAL)  # it logs the errors that it raises


def make(node: dict[str, Any], key: str, *args: Any, **named: Any) -> Any:
    """Instantiate the `_target_` of a node."""
    if node is None:
        raise ConfigError(f"{key}=null: expected an object with a `_target_`.")
    require_target(node, key)
    try:
        return instantiate({**node, "_partial_": True}, _convert_="all")(*args, **named)
    except InstantiationException as error:
        raise user_error(error, key) from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"{key}: {explain_call(error, node)}") from error


def user_error(error: BaseException, key: str) -> GenlabError:
    """Return the GenlabError inside Hydra's error; without one, a ConfigError with the innermost message."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GenlabError):
            return cause
        last, cause = cause, cause.__cause__
    return ConfigError(f"{key}: {explain_call(last, {})}")


def explain_call(error: BaseException, node: dict[str, Any]) -> str:
    """Return why an object cannot be made; what Python says of arguments in a user's words."""
    text = str(error).strip().rstrip(".")
    target = called_in(text, node) or node.get("_target_", "this `_target_`")
    nulls = [f"{name}=null" for name, value in node.items() if value is None]
    if "NoneType" in text and nulls:
        return f"{' or '.join(nulls)} does not fit here: give a value{place_in_own_code(error)}."
    if not ARGUMENTS.search(text):
        is_plain = isinstance(error, LookupError | TypeError | RuntimeError) or not text
        words = f"cannot be built with these values ({text or type(error).__name__})" if is_plain else text
        return f"{words}{place_in_own_code(error)}."
    named = re.findall(r"'(\w+)'", text)
    if "missing" in text and named:
        return f"{', '.join(named)} {'is' if len(named) == 1 else 'are'} needed by {target}, and not given."
    if "unexpected" in text and named:
        return f"{target} does not fit here: it is given `{named[0]}`, and takes no argument of that name."
    counts = re.search(r"takes (?:from \d+ to )?(\d+) \w+ arguments? but (\d+)", text)
    taken = f": it takes {int(counts[1]) - 1} without names, and is given {int(counts[2]) - 1}" if counts else ""
    return f"{target} does not fit here: it takes other arguments than such an object is given{taken}."


def called_in(text: str, node: Any) -> str:
    """Return the `_target_` within a node whose class Python's words are about; nothing if they are of another."""
    if not isinstance(node, dict):
        return ""
    name, target = text.partition(".__init__()")[0].partition("()")[0], str(node.get("_target_", ""))
    return (
        target
        if target.endswith(f".{name}")
        else next(filter(None, (called_in(text, one) for one in node.values())), "")
    )


def place_in_own_code(error: BaseException) -> str:
    """Return where in a user's own code an error was raised; "" for one of genlab or of a library."""
    files = ((frame, frame.filename) for frame in extract_tb(error.__traceback__))
    frames = [frame for frame, file in files if not file.startswith(INSTALLED) and "-packages" not in file]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def check_node(node: Any, key: str, hint: Any = Any) -> Any:
    """Return a node with all values converted to the types in the signature of its `_target_`.

    `hint`: the type that the whole is to be of. Raises ConfigError with the key, what was found and what was expected.
    """
    if not isinstance(node, dict):
        return node
    for name in SPECIAL.keys() & node.keys():
        validate(node[name], SPECIAL[name], f"{key}.{name}")
    if "_target_" in node:
        require_fitting_mapping(node, hint, key)
    hints = accepted_arguments(locate(node["_target_"], key)) if "_target_" in node else {}
    inner = value_hint(hint) if "_target_" not in node else Any
    children = {name: check_node(value, f"{key}.{name}", hints.get(name, inner)) for name, value in node.items()}
    if key in LISTS and "_target_" in children:
        raise ConfigError(
            f"{key}: a YAML of this group holds one key, the part's name, and below it the rest: "
            f"`my_name: {{_target_: {children['_target_']}}}`."
        )
    if "_target_" in children:
        return children | dict(check_arguments(children, hints, key))
    for name in children if key in LISTS else ():
        require_target(children[name], f"{key}.{name}")
    return children


def value_hint(hint: Any) -> Any:
    """Return the type of a mapping's values, where an annotation takes one: of `dict[str, Metric]` Metric."""
    mappings = (kind for kind in alternatives(bare_type(hint)) if typing.get_origin(kind) is dict)
    return next((typing.get_args(kind)[1] for kind in mappings), Any)


def require_target(node: Any, key: str) -> None:
    if node is not None and not (isinstance(node, dict) and "_target_" in node):
        raise ConfigError(
            f"{key}: has values but no `_target_`: {show_value(node)}. An experiment or the command line sets values "
            "of a choice that is not chosen: choose it, or drop the values."
        )


def check_arguments(node: dict[str, Any], hints: dict[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """Yield the plain arguments of a node, validated against the annotations of its target's arguments."""
    for name, value in node.items():
        if name in SPECIAL:
            continue
        if name not in hints:
            nested = " A metric of one's own is nested: `metrics: {name: {_target_: ...}}`." if key == "metrics" else ""
            raise ConfigError(unknown_key(f"{key}.{name}", sorted(hints.keys() - PASSED)) + nested)
        if isinstance(value, dict) and "_target_" not in value:
            require_fitting_mapping(value, hints[name], f"{key}.{name}")
        if not has_target(value):
            yield name, validate(value, hints[name], f"{key}.{name}")


def require_fitting_mapping(node: dict[str, Any], hint: Any, key: str) -> None:
    """Raise ConfigError for a mapping where a plain value is expected, and for objects of a class that does not fit."""
    kinds = (hint,) if typing.get_origin(hint) is typing.Annotated else typing.get_args(hint) or (hint,)
    if Schedule in kinds and "_target_" in node:
        require_schedule(node, kinds[0], key)
    elif all(bare_type(kind) in PLAIN for kind in kinds):
        rates = " Learning rates change by a factor: optimizer.schedule." if key.startswith("optimizer.") else ""
        raise ConfigError(f"{key}={show_value(node)}: expected {in_words(hint)}.{rates}")
    elif "_target_" in node:
        require_fitting_object(node, hint, key)


def require_schedule(node: dict[str, Any], number: Any, key: str) -> None:
    """Raise ConfigError unless a node is a schedule whose values are in the range of the number."""
    kind = locate(node["_target_"], key)
    if not (inspect.isclass(kind) and issubclass(kind, Schedule)):
        raise ConfigError(
            f"{key}._target_={node['_target_']}: expected a number, a staircase such as {{0: 1, 200000: 2}}, or a "
            "schedule such as genlab.core.schedule.Line."
        )
    schedule, whole = make(node, key), bare_type(number) is int
    for progress in (0.0, 0.5, 1.0):
        value = schedule(round(progress * ANY_TOTAL), ANY_TOTAL)
        validate(round(value) if whole else value, number, f"{key} after {progress:.0%} of the run")


def has_target(value: Any) -> bool:
    return isinstance(value, dict) and ("_target_" in value or any(has_target(child) for child in value.values()))


def unknown_key(key: str, valid: list[str]) -> str:
    name = key.rsplit(".", 1)[-1]
    close = get_close_matches(name, valid, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return (
        f"{key}: there is no such key.{guess} Valid here: {', '.join(valid) or 'none'}. Leave it out; ~{key} takes "
        "away what a YAML sets."
    )
