"""Reader of a run's files: it notes what is missing or damaged, and returns the rest."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genlab.core.foreign_files import MAX_VALUES, parse_json, read_text
from genlab.core.run_links import leads_out

MAX_LINES = 2**18  # one for each score and each interval of a run


class Reader:
    """Reads the files of one directory, and adds a sentence to `problems` for each that cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        """Return the file's text; None if there is no such file."""
        path = self.folder / name
        if leads_out(path, self.folder):
            self.problems.append(f"{name} leads out of the run directory by a link; it is left out.")
            return None
        try:
            return read_text(path, errors="replace") if path.exists() else None
        except OSError as error:
            self.problems.append(f"{name} cannot be read: {error.strerror or error}.")
            return None

    def json(self, name: str) -> dict[str, Any]:
        return self._read_object(name, parse_json)

    def yaml(self, name: str) -> dict[str, Any]:
        from genlab.core.yaml_file import load_harmless

        return self._read_object(name, load_harmless)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return the objects of a file with one a line. A half-written last line, of a killed process, is no damage."""
        text = self.text(name) or ""
        if sum(map(text.count, "[{,")) > MAX_VALUES or text.count("\n") > MAX_LINES:
            self.problems.append(f"{name} has over {MAX_LINES:,} lines or {MAX_VALUES:,} values; it is left out.")
            return []
        lines = text.splitlines()
        found = [_parse_line(line) for line in lines]
        bad = [number for number, row in enumerate(found, start=1) if row is None and number < len(lines)]
        if bad:
            self.problems.append(
                f"{name}: {len(bad)} of {len(lines)} lines cannot be read (the first is line {bad[0]}); "
                "they are left out."
            )
        return [row for row in found if row is not None]

    def _read_object(self, name: str, parse: Callable[[str], Any]) -> dict[str, Any]:
        """Return the file's object; {} if there is no such file, or it cannot be read."""
        text = self.text(name)
        if text is None:
            return {}
        try:
            found = parse(text)
        except Exception as error:  # from json, yaml or deep nesting: damage is reported, it never fails the report
            found = error
        if isinstance(found, dict):
            return found
        self.problems.append(f"{name} is damaged; what it says is left out.")
        return {}


def _parse_line(line: str) -> dict[str, Any] | None:
    try:
        row = parse_json(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def finite_number(value: Any) -> float | None:
    """Return `value` if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) <= sys.float_info.max else None  # `math.isfinite` fails on very long integers


def to_count(value: Any) -> int:
    """Return `value` as an int; 0 if it is no finite number."""
    return int(finite_number(value) or 0)
