"""The classes and functions that a config names by `_target_`, what they take, and where they fit."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import torch
from annotated_types import Gt
from hydra.utils import get_object

from genlab.core.errors import ConfigError
from genlab.core.types import Fraction, NonNegative, ProperShare, Share
from genlab.core.validation import UNCHECKED, alternatives, fits, show_value

PLAIN = (int, float, bool, str, type(None), torch.Tensor)
OPTIMIZER_RANGES: dict[str, Any] = {  # of torch.optim's arguments, whose annotations state none
    **dict.fromkeys(("lr", "eps", "weight_decay", "momentum", "lr_decay", "lambd", "alpha"), NonNegative),
    **dict.fromkeys(("initial_accumulator_value", "momentum_decay"), NonNegative),
    "rho": Share,
    "betas": tuple[ProperShare, ProperShare],
    "etas": tuple[Fraction, Annotated[float, Gt(1)]],
}
SPECIAL = {  # keys of Hydra's beside the arguments
    "_target_": str,
    "_partial_": bool,
    "_recursive_": bool,
    "_convert_": typing.Literal["none", "partial", "object", "all"],
    "_args_": list,
}


def locate(path: Any, key: str) -> Callable:
    """Return the class or function at a dotted path. Raises ConfigError for anything else."""
    wanted = "expected the dotted path of a class or function"
    if not (isinstance(path, str) and path):
        raise ConfigError(f"{key}._target_={show_value(path)}: {wanted}.")
    try:
        found = get_object(path)
    except Exception as error:  # Hydra raises a bare Exception
        reason = f"{error.__cause__ or error}".splitlines()[0]
        raise ConfigError(f"{key}._target_={path}: cannot be imported ({reason}).") from error
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        raise ConfigError(f"{key}._target_={path}: {wanted}, and this is a {type(found).__name__}.")
    try:
        inspect.signature(found)
    except ValueError as error:
        raise ConfigError(f"{key}._target_={path}: {wanted} that takes arguments by name.") from error
    return found


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
        named = [one for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
        found |= {parameter.name: parameter.annotation for parameter in named if parameter.name != "self"}
        found |= {name: hint for name, hint in type_hints(call).items() if name in found}
    hints = {name: hint for name, hint in found.items() if name not in ("shared", "return")}
    is_optimizer = inspect.isclass(target) and issubclass(target, torch.optim.Optimizer)
    ranged = {
        name: kind for name, kind in OPTIMIZER_RANGES.items() if is_optimizer and takes_kind(hints.get(name), kind)
    }
    return hints | ranged


def takes_kind(hint: Any, kind: Any) -> bool:
    """Return whether a torch annotation takes what a range does: numbers, or pairs of numbers."""
    return hint is not None and fits([0.5, 0.5] if typing.get_origin(kind) is tuple else 0.5, hint)


def type_hints(call: Callable) -> dict[str, Any]:
    try:
        return typing.get_type_hints(call, include_extras=True)
    except NameError:  # annotations that only a type checker can see
        return {}


def bare_type(hint: Any) -> Any:
    """Return the type without its range: `Annotated[int, Ge(1)]` gives int."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def require_fitting_object(node: dict[str, Any], hint: Any, key: str) -> None:
    """Raise ConfigError for an object in a config that an argument's annotation does not take."""
    target, is_partial = locate(node["_target_"], key), bool(node.get("_partial_"))
    kinds = [bare_type(kind) for kind in alternatives(hint)]
    if any(takes(kind, target, is_partial) for kind in kinds):
        return
    if any(takes(kind, target, not is_partial) for kind in kinds):
        raise ConfigError(f"{key}: needs `_partial_: {str(not is_partial).lower()}` beside its `_target_`.")
    names = dict.fromkeys(name for kind in kinds if (name := name_of(made_by(kind))))
    wanted = f"a class derived from {' or '.join(names)}" if names else "a plain value"
    raise ConfigError(f"{key}._target_={node['_target_']}: does not fit here; expected {wanted}.")


def takes(kind: Any, target: Any, is_partial: bool) -> bool:
    """Return whether an argument of a kind takes what a target makes, or the target itself with some arguments."""
    origin = typing.get_origin(kind) or kind
    if isinstance(origin, str) or origin in UNCHECKED:
        return True
    if origin is typing.Literal:
        return False
    if origin is Callable and not is_partial:
        return not inspect.isclass(target) or any("__call__" in vars(owner) for owner in inspect.getmro(target))
    if is_partial and not inspect.isclass(target):
        return origin is Callable
    return is_partial == (origin is Callable) and makes(target, made_by(kind))


def made_by(kind: Any) -> Any:
    """Return the class of what a kind of argument is, or returns where it is called."""
    origin, parts = typing.get_origin(kind) or kind, typing.get_args(kind)
    return (parts[-1] if parts else Any) if origin is Callable else origin


def makes(target: Any, kind: Any) -> bool:
    """Return whether calling a target can give an object of a class; what functions give is not known."""
    kind = typing.get_origin(kind) or kind
    if not inspect.isclass(kind) or getattr(kind, "_is_protocol", False) or not inspect.isclass(target):
        return kind not in PLAIN
    return kind in UNCHECKED or issubclass(target, kind)


def name_of(kind: Any) -> str:
    """Return a class by its dotted path; nothing for what no config names."""
    is_ours = inspect.isclass(kind) and kind not in PLAIN and not issubclass(kind, Mapping)
    return f"{kind.__module__}.{kind.__qualname__}" if is_ours else ""


def require_kind_of_object(node: Any, kind: type, key: str) -> None:
    """Raise ConfigError if a config names a class that is not derived from `kind`."""
    target = locate(node["_target_"], key)
    if inspect.isclass(target) and not issubclass(target, kind):
        raise ConfigError(
            f"{key}._target_={node['_target_']}: expected a class derived from {kind.__module__}.{kind.__qualname__}."
        )
