"""Groups of runs that share a config but for the seed, with labels that tell the groups apart."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from genlab.reports.run import Run

START_KEYS = ("resume", "dry_run")  # keys that say how a run was started, not what is trained
MAX_KEYS_IN_LABEL = 3
MISSING_VALUE = "–"


@dataclass(frozen=True)
class Group:
    label: str
    runs: list[Run]
    settings: dict[str, str]  # the flattened config that its runs share


def group_by_config(runs: list[Run]) -> list[Group]:
    """Group runs by config. A run without one stands alone: nothing says what it is like."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        key = json.dumps(shared_settings(run), sort_keys=True) if run.config else str(run.path)
        found.setdefault(key, []).append(run)
    members = list(found.values())
    labels = make_distinct([_group_label(group) for group in members], [shared_settings(group[0]) for group in members])
    return [Group(label, group, shared_settings(group[0])) for label, group in zip(labels, members, strict=True)]


def shared_settings(run: Run) -> dict[str, str]:
    """Return the flattened config without seeds and START_KEYS."""
    flat = flatten_keys(run.config)
    return {key: value for key, value in flat.items() if key not in START_KEYS and not _is_seed(key)}


def _is_seed(key: str) -> bool:
    name = key.rpartition(".")[2]
    return name == "seed" or name.endswith("_seed")


def flatten_keys(node: Any, path: str = "") -> dict[str, str]:
    """Return dotted keys, as typed on the command line, and values as text; `{}` or `[]` for an empty group."""
    if isinstance(node, dict) and (node or path):
        below = [flatten_keys(value, f"{path}.{key}".lstrip(".")) for key, value in node.items()]
        return {key: value for part in below for key, value in part.items()} or {path: "{}"}
    if not path:
        return {}
    return {path: node if isinstance(node, str) else json.dumps(node, default=str)}


def _group_label(runs: list[Run]) -> str:
    labels = list(dict.fromkeys(run.label for run in runs))
    return labels[0] if len(labels) == 1 else " / ".join(labels[:MAX_KEYS_IN_LABEL])


def make_distinct(labels: list[str], settings: list[dict[str, str]]) -> list[str]:
    """Return labels, with differing settings added where several are the same, and a number if they still are."""
    longer = []
    for label, own in zip(labels, settings, strict=True):
        alike = [other for name, other in zip(labels, settings, strict=True) if name == label]
        keys = list(differing_values(alike))[:MAX_KEYS_IN_LABEL] if len(alike) > 1 else []
        longer.append(" ".join([label, *(f"{key}={own.get(key, MISSING_VALUE)}" for key in keys)]))
    return _number_duplicates(longer)


def _number_duplicates(labels: list[str]) -> list[str]:
    return [
        f"{label} #{labels[: place + 1].count(label)}" if labels.count(label) > 1 else label
        for place, label in enumerate(labels)
    ]


def differing_values(settings: Iterable[dict[str, str]]) -> dict[str, list[str]]:
    """Return the value in each of `settings`, by key, for the keys whose values are not all alike."""
    tables = list(settings)
    keys = dict.fromkeys(key for table in tables for key in table)
    values = {key: [table.get(key, MISSING_VALUE) for table in tables] for key in keys}
    return {key: row for key, row in values.items() if len(set(row)) > 1}
