"""The config that a command line's choices give, read from the YAML files without Hydra: quick enough for a key press.

Interpolations, values that are typed and packages of Hydra's own are left out: completion needs the keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genlab.cli import menu

Choices = dict[str, list[str]]  # by group, `@PACKAGE` after it where a file goes elsewhere
PACKAGE = re.compile(r"#\s*@package\s+(\S+)")
OWN_PLACE = re.compile(r"@_global_\.\w+$")  # what an override in a file without a package header says of its group
REFERENCE = re.compile(r"\$\{(\w+)\}")


class MenuTree:
    """The groups and keys of a program, with some groups chosen; `own`: the user's `--config-dir`."""

    def __init__(self, program: str, typed: Choices, own: Path | None = None) -> None:
        self.own = own
        base = self._read("", program)
        chosen = dict(entries_of(base, "")) | typed
        for group in ("experiment", "data", "model", "experiment"):  # an experiment names a model, and then overrides
            for name in chosen.get(group, []):
                chosen |= dict(entries_of(self._read(group, name), group))
            chosen |= typed
        chosen = {group: [follow_reference(name, chosen) for name in names] for group, names in chosen.items()}
        self.groups = [group for group in chosen if "@" not in group]
        self.keys: dict[str, Any] = {key: value for key, value in base.items() if key != "defaults"}
        for group, names in chosen.items():
            for name in names:
                merge_at(self.keys, self._package_of(group, name), self._content(group.partition("@")[0], name))

    def names(self, group: str) -> list[str]:
        """Return the choices of a group, the user's own among them."""
        own = [path.stem for path in (self.own / group).glob("*.yaml")] if self.own else []
        return sorted({*(path.stem for path in menu.folder_of(group).glob("*.yaml")), *own})

    def node(self, key: str) -> Any:
        """Return what stands at a dotted key; None where nothing does."""
        found: Any = self.keys
        for name in key.split(".") if key else ():
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def _path(self, group: str, name: str) -> Path:
        own = self.own / group / f"{name}.yaml" if self.own else None
        return own if own and own.is_file() else menu.folder_of(group) / f"{name}.yaml"

    def _read(self, group: str, name: str) -> dict[str, Any]:
        import yaml

        try:
            content = yaml.load(self._path(group, name).read_text(encoding="utf-8"), LOADER)
        except (OSError, ValueError, yaml.YAMLError):  # what is typed need not be there yet
            return {}
        return content if isinstance(content, dict) else {}

    def _content(self, group: str, name: str) -> dict[str, Any]:
        """Return a file's keys over those of the files of its group that it builds on."""
        content, keys = self._read(group, name), dict[str, Any]()
        for entry in content.pop("defaults", []):
            if isinstance(entry, str) and entry != "_self_":
                merge_at(keys, "", self._content(group, entry))
        merge_at(keys, "", content)
        return keys

    def _package_of(self, group: str, name: str) -> str:
        group, _, package = group.partition("@")
        try:
            found = PACKAGE.match(self._path(group, name).read_text(encoding="utf-8"))
        except OSError:
            return ""
        package = package or (found[1] if found else group.replace("/", "."))
        return "" if package == "_global_" else package


def follow_reference(name: str, chosen: Choices) -> str:
    """Return the choice of another group that a name refers to, as in `metrics/extractor: ${usual_extractor}`."""
    found = REFERENCE.fullmatch(name)
    return chosen[found[1]][-1] if found else name


def entries_of(content: dict[str, Any], folder: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the groups that a file's defaults choose, with the names."""
    for entry in content.get("defaults", []):
        for key, names in entry.items() if isinstance(entry, dict) else ():
            group = OWN_PLACE.sub("", key.removeprefix("override ").removeprefix("optional "))
            if not group.startswith("hydra/"):
                inner = f"{folder}/{group}" if folder and not group.startswith("/") else group.lstrip("/")
                yield inner, [name for name in (names if isinstance(names, list) else [names]) if name is not None]


def merge_at(tree: dict[str, Any], package: str, content: dict[str, Any]) -> None:
    """Merge a mapping into a tree, below a dotted key."""
    for name in package.split(".") if package else ():
        inner = tree.get(name)
        tree[name] = inner if isinstance(inner, dict) else {}
        tree = tree[name]
    for key, value in content.items():
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            merge_at(tree[key], "", value)
        else:
            tree[key] = value


def quickest_loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


LOADER = quickest_loader()
