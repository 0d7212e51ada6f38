"""The places that `data.root` names: one folder, zip or file of samples, or several as if they lay side by side."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from annotated_types import MinLen

from genlab.core.errors import ConfigError
from genlab.core.types import FilePath
from genlab.data.storage.archives import FileSource, open_source
from genlab.data.storage.file_kinds import SUFFIXES, describe_left_out

Roots = FilePath | Annotated[list[FilePath], MinLen(1)]


def open_root(root: str | Sequence[str] | None) -> tuple[Path, FileSource]:
    """Return the path and its files; of several places, their names in one. Raises ConfigError if one has no image."""
    if not root:
        raise ConfigError("data.root=null: name the folder or zip that holds your images: data.root=PATH.")
    paths = [Path(one).expanduser() for one in ([root] if isinstance(root, str) else root)]
    sources = [open_source(path) for path in paths]
    for path, source in zip(paths, sources, strict=True):
        refuse_empty_source(source, path)
    if len(paths) == 1:
        return paths[0], sources[0]
    labels = [path.absolute().stem for path in paths]
    if len(set(labels)) < len(labels):
        raise ConfigError(
            f"data.root=[{','.join(map(str, paths))}]: two places are called alike, and their names tell them apart. "
            "Rename one, or name the folder that holds them all."
        )
    return Path("+".join(labels)), Several(dict(zip(labels, sources, strict=True)))


def refuse_empty_source(source: FileSource, root: Path) -> None:
    found = f" There are {describe_left_out(source.left_out)}." if source.left_out else ""
    if not source.names:
        raise ConfigError(
            f"data.root={root}: no images among {source.left_out.total()} files; expected {', '.join(SUFFIXES)}, "
            f"in subfolders by class or without any.{found}"
        )


class Several:
    """Sources side by side: files are called LABEL/NAME, as if each source were a folder of one that holds them all."""

    def __init__(self, sources: dict[str, FileSource]) -> None:
        self.sources = sources
        self.names = sorted(f"{label}/{name}" for label, source in sources.items() for name in source.names)
        self.left_out = sum((source.left_out for source in sources.values()), Counter[str]())
        self.label_files = [f"{label}/{name}" for label, source in sources.items() for name in source.label_files]

    def content_key(self) -> str:
        keys = {label: source.content_key() for label, source in self.sources.items()}
        return hashlib.sha256(json.dumps(keys, sort_keys=True).encode()).hexdigest()

    def stamp(self) -> list[int]:
        return [number for source in self.sources.values() for number in source.stamp()]

    def size(self, name: str) -> int:
        source, inner = self.find(name)
        return source.size(inner)

    def holds(self, name: str) -> bool:
        label, _, inner = name.partition("/")
        return label in self.sources and self.sources[label].holds(inner)

    def read(self, name: str, most: int) -> bytes:
        source, inner = self.find(name)
        return source.read(inner, most)

    def find(self, name: str) -> tuple[FileSource, str]:
        """Return the source of a file, and what the file is called there."""
        label, _, inner = name.partition("/")
        return self.sources[label], inner
