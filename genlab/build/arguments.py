"""Checks a config's values against the signatures of what they are for, and makes the objects that they describe."""

import inspect
import logging
import typing
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

import torch
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from pydantic import ConfigDict, TypeAdapter, ValidationError

from genlab.core.errors import ConfigError, GenlabError
from genlab.core.schedule import Schedule

LISTS = ("penalty", "augment", "optimizer", "callbacks")  # groups whose every key is an object
PLAIN = (int, float, bool, str, type(None), torch.Tensor)
ANY_TOTAL = 1_000_000  # images, to try a schedule with
logging.getLogger("hydra.utils").setLevel(logging.CRITICAL)  # it logs the errors that it raises


def make(node: dict[str, Any], key: str, *args: Any, **named: Any) -> Any:
    """Instantiate the `_target_` of a node."""
    require_target(node, key)
    try:
        return instantiate({**node, "_partial_": True}, _convert_="all")(*args, **named)
    except InstantiationException as error:
        raise user_error(error, key) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key}: {error}") from error


def user_error(error: BaseException, key: str) -> GenlabError:
    """Return the GenlabError inside Hydra's error; without one, a ConfigError with the innermost message."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GenlabError):
            return cause
        last, cause = cause, cause.__cause__
    return ConfigError(f"{key}: {last}")


def check_node(node: Any, key: str) -> Any:
    """Return a node with all values converted to the types in the signature of its `_target_`.

    Raises ConfigError with the key, what was found and what was expected.
    """
    if not isinstance(node, dict):
        return node
    children = {name: check_node(value, f"{key}.{name}") for name, value in node.items()}
    if key in LISTS and "_target_" in children:
        raise ConfigError(
            f"{key}: a YAML of this group holds one key, the part's name, and below it the rest: "
            f"`my_name: {{_target_: {children['_target_']}}}`."
        )
    if "_target_" in children:
        return children | dict(check_arguments(children, key))
    for name in children if key in LISTS else ():
        require_target(children[name], f"{key}.{name}")
    return children


def require_target(node: Any, key: str) -> None:
    if node is not None and not (isinstance(node, dict) and "_target_" in node):
        raise ConfigError(
            f"{key}: has values but no `_target_`: {node}. An experiment or the command line sets values of a choice "
            "that is not chosen: choose it, or drop the values."
        )


def check_arguments(node: dict[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """Yield the plain arguments of a node, validated against its target's annotations."""
    target = locate(node["_target_"], key)
    expected = accepted_arguments(target)
    for name, value in node.items():
        if name in ("_target_", "_partial_", "_convert_", "_recursive_", "_args_"):
            continue
        if name not in expected:
            nested = " A metric of one's own is nested: `metrics: {name: {_target_: ...}}`." if key == "metrics" else ""
            raise ConfigError(unknown_key(f"{key}.{name}", sorted(expected)) + nested)
        if isinstance(value, dict):
            require_fitting_mapping(value, expected[name], f"{key}.{name}")
        if not has_target(value):
            yield name, validate(value, expected[name], f"{key}.{name}")


def require_fitting_mapping(node: dict[str, Any], hint: Any, key: str) -> None:
    """Raise ConfigError for a mapping where a plain value is expected, and for other objects where a schedule is."""
    kinds = typing.get_args(hint) or (hint,)
    if Schedule in kinds and "_target_" in node:
        require_schedule(node, kinds[0], key)
    elif all(bare_type(kind) in PLAIN for kind in kinds):
        raise ConfigError(
            f"{key}={node}: expected a plain value. Learning rates change by a factor: optimizer.schedule."
        )


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


def bare_type(hint: Any) -> Any:
    """Return the type without its range: `Annotated[int, Ge(1)]` gives int."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def locate(path: str, key: str) -> Any:
    try:
        return get_object(path)
    except Exception as error:  # Hydra raises a bare Exception
        reason = f"{error.__cause__ or error}".splitlines()[0]
        raise ConfigError(f"{key}._target_={path}: cannot be imported ({reason}).") from error


def accepted_arguments(target: Any) -> dict[str, Any]:
    """Return the annotations of all arguments of a class or function, keyword arguments of base classes included."""
    owners = (
        [owner for owner in reversed(inspect.getmro(target)) if owner is not object] if inspect.isclass(target) else []
    )
    found: dict[str, Any] = {}
    for call in [vars(owner)["__init__"] for owner in owners if "__init__" in vars(owner)] or [target]:
        parameters = inspect.signature(call).parameters.values()
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            found = {}
        found |= {parameter.name: parameter.annotation for parameter in parameters if parameter.name != "self"}
        found |= {name: hint for name, hint in type_hints(call).items() if name in found}
    return {name: hint for name, hint in found.items() if name not in ("shared", "return")}


def type_hints(call: Callable) -> dict[str, Any]:
    try:
        return typing.get_type_hints(call, include_extras=True)
    except NameError:  # annotations that only a type checker can see
        return {}


def has_target(value: Any) -> bool:
    return isinstance(value, dict) and ("_target_" in value or any(has_target(child) for child in value.values()))


def validate(value: Any, hint: Any, key: str) -> Any:
    """Convert a value to its annotated type: 1e6 for a whole number becomes 1000000. Raises ConfigError."""
    if hint is inspect.Parameter.empty or isinstance(hint, str):
        return value
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value)
    except ValidationError as error:
        reasons = dict.fromkeys(detail["msg"].removeprefix("Input ") for detail in error.errors())
        raise ConfigError(f"{key}={value}: {' or '.join(reasons)}.") from error


def unknown_key(key: str, valid: list[str]) -> str:
    name = key.rsplit(".", 1)[-1]
    close = get_close_matches(name, valid, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return f"{key}: there is no such key.{guess} Valid here: {', '.join(valid)}. Drop it with ~{key}."
