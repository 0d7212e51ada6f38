"""A run's files, read with patience: what is missing or damaged is noted, and the rest is used."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Reader:
    """Reads files of one directory; what cannot be read is told in `problems`, a sentence each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        """None where there is no such file."""
        path = self.folder / name
        try:
            return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
        except OSError as error:
            self.problems.append(f"{name} cannot be read: {error.strerror}.")
            return None

    def json(self, name: str) -> dict[str, Any]:
        return self._object(name, json.loads)

    def yaml(self, name: str) -> dict[str, Any]:
        import yaml

        return self._object(name, lambda text: yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The objects of a file with one a line. A last line that a killed process left half-written is no damage."""
        lines = (self.text(name) or "").splitlines()
        found = [_parsed(line) for line in lines]
        bad = [number for number, row in enumerate(found, start=1) if row is None and number < len(lines)]
        if bad:
            self.problems.append(
                f"{name}: {len(bad)} of {len(lines)} lines cannot be read (the first is line {bad[0]}); "
                "they are left out."
            )
        return [row for row in found if row is not None]

    def _object(self, name: str, parse: Callable[[str], Any]) -> dict[str, Any]:
        """Empty where there is no such file, or nothing that can be read."""
        text = self.text(name)
        if text is None:
            return {}
        try:
            found = parse(text)
        except Exception as error:  # of json, yaml, or deep nesting: a report shows damage, it never fails of it
            found = error
        if isinstance(found, dict):
            return found
        self.problems.append(f"{name} is damaged; what it says is left out.")
        return {}


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def number(value: Any) -> float | None:
    """`value` if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None


def whole(value: Any) -> int:
    """`value` as a count; 0 if it is none."""
    return int(number(value) or 0)
