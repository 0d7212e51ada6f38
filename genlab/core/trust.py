"""Decides what a config that somebody else may have written may build.

A config names classes and functions by their paths (`_target_`), and building it calls them. Words of a command line
and YAML files of one's own `--config-dir` are the user's. The config inside a run directory, a checkpoint or an
exported file may be anybody's: it builds only what is on the list here, and what the user allows by name with
`trust=[package]`.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from genlab.core.errors import ConfigError
from genlab.core.foreign_files import CONTAINERS

VARIABLE = "GENLAB_TRUST"  # packages, separated by commas, for jobs that a cluster starts again by itself
NAMED = re.compile(r"_target_['\"]?\s*[:=]\s*['\"]?([\w.]+)")
COMMENT = re.compile(r"(?m)(^|\s)#.*$")
CONDITIONS = frozenset(
    f"genlab.core.{path}" for path in ("condition.Classes", "condition.Attributes", "words.Words", "picture.Picture")
)
FORMER_CHOICES = frozenset(
    {"genlab.models.adversarial.fastgan.Generator"}
)  # no choice of the menu any more; runs have it
LAYERS = frozenset(
    f"torch.nn.{name}"
    for name in (
        *("ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Softplus", "Tanh", "Sigmoid", "Identity"),
        *("BatchNorm2d", "InstanceNorm2d", "GroupNorm", "LayerNorm", "Linear", "Conv2d"),
    )
)
FETCHING = frozenset({"weights", "weights_only", "url"})  # arguments of torch's that read or fetch files
NEVER_NEEDED = sys.stdlib_module_names | {"torch", "torchvision", "numpy", "scipy", "PIL", "hydra", "omegaconf", "yaml"}


def require_trusted(saved: Any, source: str | Path, trust: Iterable[str] = ()) -> None:
    """Raise ConfigError if a config that a file holds names what is neither on the list nor allowed by the user.

    Interpolations are refused as well: they could make up such a name, and read the environment.
    """
    refuse_interpolations(saved, source)
    require_listed(saved, source, trust)


def refuse_interpolations(saved: Any, source: str | Path) -> None:
    """Raise ConfigError for a config with `${...}`, which Hydra would resolve while it builds."""
    for text in find_texts(saved):
        if "${" in text:
            raise ConfigError(f"{source}: holds ${{...}}, which no run writes: use another copy of the run.")


def require_listed(saved: Any, source: str | Path, trust: Iterable[str] = ()) -> None:
    """Raise ConfigError if what a file holds names what is neither on the list nor allowed by the user."""
    allowed = {*trust, *trust_of_environment()}
    for key, node in find_targets(saved, ""):
        path = node["_target_"]
        if is_below(path, allowed):
            continue
        if not is_listed(path):
            raise ConfigError(refusal(source, key, path))
        given = {name for name, value in node.items() if value is not None}
        for name in given & ({"_args_"} if path.startswith("genlab.") else FETCHING | {"_args_"}):
            raise ConfigError(
                f"{source}: {key}.{name}={node[name]!r}: a config in a file gives {path} no such argument, which may "
                f"read or fetch other files. {remedy(path)}"
            )


def require_trusted_run(state: dict[str, Any], source: str | Path, trust: Iterable[str] = ()) -> None:
    """Raise ConfigError if the config or the data's facts in a checkpoint or exported file name what is not trusted."""
    require_trusted(state.get("config"), source, trust)
    require_listed(state.get("spec"), source, trust)  # Hydra never sees it, and a class may be called anything


def trust_of_environment() -> list[str]:
    return [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]


def find_targets(node: Any, key: str) -> Iterator[tuple[str, dict]]:
    """Yield the key and the mapping of each `_target_` in a config, at any depth."""
    if isinstance(node, dict) and "_target_" in node:
        yield key, node
    for name, value in children_of(node):
        yield from find_targets(value, f"{key}.{name}" if key else str(name))


def find_texts(node: Any) -> Iterator[str]:
    """Yield each text in a config, keys included, at any depth."""
    if isinstance(node, str):
        yield node
    for name, value in children_of(node):
        yield from (*find_texts(name), *find_texts(value))


def children_of(node: Any) -> Iterable[tuple[Any, Any]]:
    """Return the keys and values of a mapping, the places and items of any other container."""
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, CONTAINERS) else ()


def untrusted_packages(saved: Any) -> list[str]:
    """Return the packages that the user must allow for a config, when a file holds it."""
    paths = (node["_target_"] for _, node in find_targets(saved, ""))
    return sorted({str(path).partition(".")[0] for path in paths if not is_listed(path)})


def trust_word(saved: Any) -> str:
    """Return the word, with a space before it, that a command needs to open this config from a file; or nothing."""
    packages = untrusted_packages(saved)
    return f" 'trust=[{','.join(packages)}]'" if packages else ""


def is_below(path: Any, packages: Iterable[str]) -> bool:
    return isinstance(path, str) and any(path == name or path.startswith(f"{name}.") for name in packages)


def is_listed(path: Any) -> bool:
    """Return whether a path is one of the list: what the menu names, torch's optimizers, layers and image networks."""
    if not isinstance(path, str):
        return False
    exact = path in menu_targets() | CONDITIONS | FORMER_CHOICES | LAYERS or path in optimizers()
    return exact or is_alias(path) or (path.startswith("torchvision.models.") and path in image_networks())


def is_alias(path: str) -> bool:
    """Return whether a path is another name of a class of genlab that the menu names."""
    name = path.rpartition(".")[2]
    twins = [other for other in menu_targets() if other.rpartition(".")[2] == name and other.startswith("genlab.")]
    return path.startswith("genlab.") and any(find_class(path) is find_class(other) for other in twins)


def find_class(path: str) -> Any:
    """Return the attribute that a path names; the path itself where it leads nowhere."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name, path)
    except ImportError:
        return path


@cache
def menu_targets() -> frozenset[str]:
    """Return what the YAML files of genlab's own menu name."""
    return frozenset(targets_in(files("genlab.configs")))


def targets_in(folder: Traversable | Path) -> Iterator[str]:
    """Yield each `_target_` that the YAML files below a folder name outside of comments."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from targets_in(entry)
        elif entry.name.endswith((".yaml", ".yml")):
            yield from NAMED.findall(COMMENT.sub("", entry.read_text(encoding="utf-8")))


@cache
def optimizers() -> frozenset[str]:
    import torch

    found = {name: value for name, value in vars(torch.optim).items() if isinstance(value, type)}
    return frozenset(f"torch.optim.{name}" for name, value in found.items() if issubclass(value, torch.optim.Optimizer))


@cache
def image_networks() -> frozenset[str]:
    from torchvision.models import list_models

    return frozenset(f"torchvision.models.{name}" for name in list_models())


def refusal(source: str | Path, key: str, path: Any) -> str:
    return (
        f"{source}: names {path} ({key}._target_), and opening the file would run it. It is neither a choice of "
        f"genlab's nor on the short list of torch's. {remedy(path)}"
    )


def remedy(path: Any) -> str:
    package = str(path).partition(".")[0]
    if not isinstance(path, str) or package in NEVER_NEEDED | {"genlab", "builtins"}:
        return "No model needs that: do not use this file, unless you wrote it yourself."
    return f"If you know that package and who wrote the file, allow it: trust=[{package}], or {VARIABLE}={package}."
