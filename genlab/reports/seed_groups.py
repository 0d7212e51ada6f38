"""Runs of one config with other seeds belong together; and what tells the groups apart."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from genlab.reports.run import Run

MANNER = ("resume", "dry_run")  # keys that say how a run was started, not what is trained
NAMED_BY = 3  # differing keys in a label
ABSENT = "–"


@dataclass(frozen=True)
class Group:
    label: str
    runs: list[Run]
    settings: dict[str, str]  # the flattened config that its runs share


def grouped(runs: list[Run]) -> list[Group]:
    """Runs without a config stand alone: nothing says that they are alike."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        key = json.dumps(shared_settings(run), sort_keys=True) if run.config else str(run.path)
        found.setdefault(key, []).append(run)
    members = list(found.values())
    labels = distinct([_label(group) for group in members], [shared_settings(group[0]) for group in members])
    return [Group(label, group, shared_settings(group[0])) for label, group in zip(labels, members, strict=True)]


def shared_settings(run: Run) -> dict[str, str]:
    """The flattened config without seeds, and without the manner in which the run was started."""
    flat = flatten(run.config)
    return {key: value for key, value in flat.items() if key not in MANNER and not _is_seed(key)}


def _is_seed(key: str) -> bool:
    name = key.rpartition(".")[2]
    return name == "seed" or name.endswith("_seed")


def flatten(node: Any, path: str = "") -> dict[str, str]:
    """Dotted keys, as they are typed on the command line, and values as text; of an empty group `{}` or `[]`."""
    if isinstance(node, dict) and (node or path):
        below = [flatten(value, f"{path}.{key}".lstrip(".")) for key, value in node.items()]
        return {key: value for part in below for key, value in part.items()} or {path: "{}"}
    if not path:
        return {}
    return {path: node if isinstance(node, str) else json.dumps(node, default=str)}


def _label(runs: list[Run]) -> str:
    labels = list(dict.fromkeys(run.label for run in runs))
    return labels[0] if len(labels) == 1 else " / ".join(labels[:NAMED_BY])


def distinct(labels: list[str], settings: list[dict[str, str]]) -> list[str]:
    """Labels with what differs added where several are the same; with a number where that does not tell them apart."""
    longer = []
    for label, own in zip(labels, settings, strict=True):
        alike = [other for name, other in zip(labels, settings, strict=True) if name == label]
        keys = list(differences(alike))[:NAMED_BY] if len(alike) > 1 else []
        longer.append(" ".join([label, *(f"{key}={own.get(key, ABSENT)}" for key in keys)]))
    return _numbered(longer)


def _numbered(labels: list[str]) -> list[str]:
    return [
        f"{label} #{labels[: place + 1].count(label)}" if labels.count(label) > 1 else label
        for place, label in enumerate(labels)
    ]


def differences(settings: Iterable[dict[str, str]]) -> dict[str, list[str]]:
    """Key -> its value in each, of the keys in which they are not all alike."""
    tables = list(settings)
    keys = dict.fromkeys(key for table in tables for key in table)
    values = {key: [table.get(key, ABSENT) for table in tables] for key in keys}
    return {key: row for key, row in values.items() if len(set(row)) > 1}
