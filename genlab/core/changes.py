"""Named changes of a run's settings: a run is its first config and these entries, each with where it takes effect.

A run's `config.yaml` and every checkpoint hold the settings as they are now, and under `changes` a list of entries,
oldest first: `{images: 20000, key: optimizer.generator.lr, old: 0.0002, new: 0.0001}`. So whoever reads a config reads
the settings in force, and taking the entries back gives the first config.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

from genlab.core.command_words import as_override
from genlab.core.errors import ConfigError

Entry = dict[str, Any]  # images, key, old, new

FIELDS = {"images", "key", "old", "new"}
OPTIONS = ("lr", "betas", "eps", "weight_decay")  # of an optimizer; others may need state that a run does not have
CHANGEABLE = (  # keys, `*` for any name: numbers that no state of a run depends on
    *(f"optimizer.*.{option}" for option in OPTIONS),
    *(f"optimizer.schedule.{name}" for name in ("warmup", "final", "begin", "hold", "end", "beta2")),
    *(f"trainer.{name}" for name in ("accumulate", "clip_gradients", "clip_weights", "n_critic", "n_generator")),
    *(f"trainer.{name}" for name in ("top_k", "flip_labels", "adversarial_weight")),
    *(f"trainer.{name}" for name in ("beta", "kl_warmup", "free_bits", "commitment")),
    *(f"trainer.ema.{name}" for name in ("halflife", "warmup")),
    "penalty.*.weight",
    "loss.deviation",
    *(f"augment.*.{name}" for name in ("target", "images", "std", "deviation", "until")),
    *(f"augment.*.{name}" for name in ("brightness", "saturation", "contrast", "translation", "cutout")),
)


def is_changeable(key: str) -> bool:
    """Return whether a run may go on with another value of a key."""
    return any(key.count(".") == pattern.count(".") and fnmatchcase(key, pattern) for pattern in CHANGEABLE)


def changeable_keys(config: Mapping[str, Any]) -> list[str]:
    """Return the keys of a config that may change."""
    return [key for key, _ in walk_keys(config, "") if is_changeable(key)]


def walk_keys(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Yield each key of a config with its value, those of mappings too."""
    for name, value in node.items() if isinstance(node, Mapping) else ():
        path = f"{key}.{name}" if key else str(name)
        yield path, value
        yield from walk_keys(value, path)


def entries_of(config: Mapping[str, Any]) -> list[Entry]:
    """Return a config's entries, oldest first. Raises ConfigError for what no run writes."""
    entries = config.get("changes", [])
    if not isinstance(entries, list) or not all(map(is_entry, entries)):
        raise ConfigError(
            f"changes={entries}: no run writes that. Restore config.yaml from a copy, or delete `changes` in it and "
            "name the changes again: change=[KEY=VALUE]."
        )
    return entries


def is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == FIELDS
        and type(entry["images"]) is int
        and is_changeable(str(entry["key"]))
    )


def first_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config that the run began with: every entry is taken back."""
    return with_values(config, [(entry["key"], entry["old"]) for entry in reversed(entries_of(config))])


def with_entries(config: Mapping[str, Any], entries: list[Entry]) -> dict[str, Any]:
    """Return a config with the entries' new values, which also lists them."""
    changed = with_values(config, [(entry["key"], entry["new"]) for entry in entries])
    return changed | ({"changes": deepcopy(entries)} if entries else {})


def with_values(config: Mapping[str, Any], values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a copy of a config with other values. Raises ConfigError for a key whose parent is missing."""
    changed = deepcopy(dict(config))
    for key, value in values:
        node = node_of(changed, key)
        if node is None:
            raise ConfigError(f"{key}: this run has no {key.rpartition('.')[0]}. {describe_keys(config)}")
        node[key.rpartition(".")[2]] = deepcopy(value)
    return changed


def node_of(config: Any, key: str) -> dict[str, Any] | None:
    """Return the mapping in which a key's last name stands; None: there is none."""
    for name in key.split(".")[:-1]:
        config = config.get(name) if isinstance(config, dict) else None
    return config if isinstance(config, dict) else None


def value_of(config: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key; None where there is none."""
    return (node_of(config, key) or {}).get(key.rpartition(".")[2])


def hold_from(config: Mapping[str, Any], images: int) -> None:
    """Let a run that goes back before an entry train with it from there on."""
    for entry in entries_of(config):
        entry["images"] = min(entry["images"], images)


def describe_keys(config: Mapping[str, Any]) -> str:
    return f"What may change in this run: {', '.join(changeable_keys(config)) or 'nothing'}."


def describe(entry: Entry) -> str:
    return f"{entry['key']}: {entry['old']} -> {entry['new']} at {entry['images']:,} images"


def change_word(values: Mapping[str, Any]) -> str:
    """Return the word that gives a resumed run other values, quoted for a shell."""
    return shlex.quote(f"change=[{','.join(f'{key}={as_override(value)}' for key, value in values.items())}]")


def as_lists(value: Any) -> Any:
    """Return a value as a file holds it: lists where tuples were made of them."""
    return [as_lists(one) for one in value] if isinstance(value, list | tuple) else value
