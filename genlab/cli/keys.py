"""The keys at the top of each program's config, with their types; all others are refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from genlab.cli import menu
from genlab.core.errors import ConfigError
from genlab.core.types import Amount, FilePath, NonNegative, Several, Whole
from genlab.core.validation import refuse_extreme_numbers, show_value, validate

if TYPE_CHECKING:
    from omegaconf import DictConfig

Checkpoint = Literal["best", "newest"] | Whole | str | None
Names = Sequence[str] | str
RUN_KEYS: dict[str, Any] = {"run": FilePath, "trust": Names, "checkpoint": Checkpoint}
KEYS: dict[str, dict[str, Any]] = {
    "train": {
        "seed": Whole,
        "resume": FilePath | None,
        "change": Any,  # `cli.changes` reads it
        "trust": Names,
        "init_from": FilePath | None,
        "dry_run": bool,
    },
    "evaluate": RUN_KEYS
    | {
        "run": FilePath | None,
        "between": Sequence[FilePath] | FilePath | None,
        "images": Amount | None,
        "split": str | None,
        "seed": Whole | None,
        "device": str,
    },
    "sample": RUN_KEYS
    | {
        "to": FilePath | None,
        "overwrite": bool,
        "seed": Whole | None,
        "classes": Any,  # the model knows which ones there are
        "conditions": Any,
        "words": Names | None,
        "count": Amount | None,
        "input": FilePath | None,
        "batch_size": Amount | None,
        "real": bool,
        "device": str,
    },
    "project": RUN_KEYS
    | {
        "image": FilePath,
        **dict.fromkeys(("steps", "restarts", "candidates"), Amount),
        "lr": NonNegative,
        "polish": Whole,
        "prior": NonNegative | None,
        "class": Any,
        "snapshots": Several,
        "seed": Whole,
        "to": FilePath | None,
        "device": str,
    },
    "export": RUN_KEYS | {"to": FilePath | None},
    "report": {"runs": Names, "to": FilePath | None, "grids": Amount},
}
GROUPS = {  # those of `train` are whatever the menu lists
    "train": ("data", "model", "loss", "penalty", "augment", "optimizer", "trainer", "metrics", "callbacks"),
    "evaluate": ("metrics", "data", "files"),
    "sample": ("mode", "data"),
    "project": ("features", "data"),
    "export": ("format", "data"),
    "report": (),
}
PARTS = {"train": ("optimizer.schedule",), "project": ("features.extractor", "features.weight")}  # needed in groups
UNUSED = {"sample": ("metrics",)}  # groups that data sets choose from where others use them


def check_keys(config: DictConfig, program: str) -> dict[str, Any]:
    """Return the resolved config. Raises ConfigError for keys that are unknown, missing or of another type."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from genlab.cli.explanations import explain_value

    hints, groups = KEYS[program], GROUPS[program]
    config = OmegaConf.masked_copy(config, [key for key in map(str, config) if key not in UNUSED.get(program, ())])
    refuse_unknown_keys(config, (*hints, *groups, "changes"))  # the record of a resumed run
    if missing := [key for key in hints if key not in list(config)]:  # `key in config` is false of ??? too
        raise ConfigError(f"{missing[0]}: is needed, and missing. A word such as ~{missing[0]} takes it away.")
    try:
        settings: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(explain_value(error)) from error
    refuse_extreme_numbers(settings)
    settings |= {key: validate(settings[key], hint, key) for key, hint in hints.items()}
    for group in groups:
        chosen = settings.get(group, {} if program == "train" else None)  # of a model's YAML without one `build` tells
        if not isinstance(chosen, dict):
            raise ConfigError(f"{group}={show_value(chosen)}: expected one of {', '.join(menu.choices(group))}.")
    for group, name in (part.split(".") for part in PARTS.get(program, ())):
        if settings.get(group) and name not in settings[group]:
            raise ConfigError(f"{group}.{name}: is needed, and missing. A word such as ~{group}.{name} takes it away.")
    return settings


def refuse_unknown_keys(config: DictConfig, known: Sequence[str]) -> None:
    """Raise ConfigError for the keys at the top that are neither known nor used by an interpolation."""
    from omegaconf import OmegaConf

    from genlab.cli.explanations import suggest_keys

    text = OmegaConf.to_yaml(config)
    strange = [name for name in map(str, config) if name not in known]
    unknown = [name for name in strange if not re.search(rf"\${{[^}}]*\b{re.escape(name)}\b", text)]
    if unknown:
        valid = OmegaConf.masked_copy(config, [name for name in map(str, config) if name not in unknown])
        raise ConfigError("\n".join(f"{name}: there is no such key. {suggest_keys(name, valid)}" for name in unknown))
