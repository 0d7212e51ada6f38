"""Partners: two pictures of one name, in one file or in two folders or zips."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genlab.core.errors import ConfigError
from genlab.core.types import FilePath
from genlab.data.sets.folder import detect_channels
from genlab.data.storage.archives import FileSource, list_names, open_source
from genlab.data.storage.file_kinds import stem_of
from genlab.data.storage.findings import Findings
from genlab.data.storage.folder_layout import strip_shared_folders
from genlab.data.storage.roots import refuse_empty_source
from genlab.data.storage.split_names import find_sides, folders_at

if TYPE_CHECKING:
    from genlab.data.storage.image_file import Rules

Roots = FilePath | list[FilePath]


class Partners(ABC):
    """Places of both pictures of each name. A name has no suffix, and no folder that all names share."""

    names: list[str]
    label: str  # in messages
    name: str  # of the data set
    sources: list[FileSource]  # opened once each
    outside: list[str]  # files of neither
    layout: str  # in words
    readings: str = ""  # what other layouts would be read as, for messages

    @abstractmethod
    def channels(self, side: int) -> int:
        """Return 1 if every file of A (0) or B (1) is grey, else 3."""

    @abstractmethod
    def content_key(self) -> str: ...

    @abstractmethod
    def read(self, name: str, rules: Rules, findings: Sequence[Findings]) -> tuple[np.ndarray, np.ndarray]:
        """Return A and B, each by its rule. Raises Unusable."""

    def refuse_unpaired(self, skip: bool) -> None:
        """Raise ConfigError for names without a partner."""
        return None


class SideBySide(Partners):
    """Both pictures in one file."""

    layout = "A is the left half of each file, B the right"
    readings = (
        "Pairs in one root are files of two pictures side by side, which are cut into halves, or folders A and B (or "
        "trainA, trainB) of files with the same names. Pictures in two other folders are data.root=[A,B]; pictures "
        "without partners are data=folder (data.task=edges makes pairs of them) or data=unpaired. "
    )

    def __init__(self, source: FileSource, path: Path) -> None:
        self.sources, self.source = [source], source
        self.names, self.label, self.name, self.outside = source.names, str(path), path.absolute().stem, []

    def channels(self, side: int) -> int:
        return detect_channels(self.source)

    def content_key(self) -> str:
        return self.source.content_key()

    def read(self, name: str, rules: Rules, findings: Sequence[Findings]) -> tuple[np.ndarray, np.ndarray]:
        from genlab.core.picture_file import BYTES  # Pillow takes a moment to load
        from genlab.data.storage.decoder import read_file, size_of
        from genlab.data.storage.image_file import read_halves

        with BYTES.take(size_of(self.source, name)):
            return read_halves(read_file(self.source, name), rules, findings)


class TwoFolders(Partners):
    """Two pictures of one name in two folders, or in two zips."""

    layout = "files of A and B with the same names are partners"

    def __init__(self, sources: list[FileSource], files: Sequence[dict[str, str]], *, label: str, name: str) -> None:
        self.sources, self.files, self.label, self.name = sources, files, label, name  # files: name -> file, of A and B
        self.names = sorted(files[0].keys() & files[1].keys())
        used = {file for side in files for file in side.values()}
        self.outside = [file for file in sources[0].names if file not in used] if sources[0] is sources[1] else []

    def refuse_unpaired(self, skip: bool) -> None:
        alone = [sorted(own.keys() - self.files[1 - side].keys()) for side, own in enumerate(self.files)]
        words = [f"{len(names)} of {side} alone: {list_names(names)}" for side, names in zip("AB", alone, strict=True)]
        if any(alone) and (not skip or not self.names):
            raise ConfigError(
                f"data.root={self.label}: {len(self.names)} names have a partner, and others none. "
                f"{'; '.join(word for word, names in zip(words, alone, strict=True) if names)}. Files belong together "
                "if their names below the two roots are equal but for the suffix. Add what is missing, or leave out "
                "what is alone with data.on_error=skip. Two kinds of pictures without partners are data=unpaired."
            )

    def channels(self, side: int) -> int:
        return detect_channels(self.sources[side], [self.files[side][name] for name in self.names])

    def content_key(self) -> str:
        return hashlib.sha256(" ".join(source.content_key() for source in self.sources).encode()).hexdigest()

    def read(self, name: str, rules: Rules, findings: Sequence[Findings]) -> tuple[np.ndarray, np.ndarray]:
        from genlab.core.picture_file import BYTES  # Pillow takes a moment to load
        from genlab.data.storage.decoder import read_file, size_of
        from genlab.data.storage.image_file import read_pair

        places = [(source, files[name]) for source, files in zip(self.sources, self.files, strict=True)]
        with BYTES.take(sum(size_of(*place) for place in places)):
            return read_pair(*(read_file(*place) for place in places), rules, findings)


def open_partners(root: Roots | None) -> Partners:
    if root is None:
        raise ConfigError(
            "data.root=null: name the folder or zip whose files hold two pictures side by side, or that holds A and B, "
            "data.root=PATH, or the two places of pictures with the same names, data.root=[A,B]."
        )
    paths = [Path(place).expanduser() for place in ([root] if isinstance(root, str) else root)]
    if len(paths) not in (1, 2) or root == [root[0]]:
        raise ConfigError(f"data.root={list(root)}: expected one place, or two, [A,B]; found {len(root)}.")
    sources = open_sources(paths)
    if len(paths) == 1:
        files = files_of_sides(sources[0].names, paths[0])
        options = {"label": str(paths[0]), "name": paths[0].absolute().stem}
        return TwoFolders(sources * 2, files, **options) if files else SideBySide(sources[0], paths[0])
    named = [files_by_name(source.names, path) for source, path in zip(sources, paths, strict=True)]
    name = "_".join(path.absolute().stem for path in paths)
    return TwoFolders(sources, named, label=f"[{paths[0]},{paths[1]}]", name=name)


def open_sources(paths: Sequence[Path]) -> list[FileSource]:
    """Open each place. Raises ConfigError for one without a picture, and for one place twice."""
    if len(paths) == 2 and paths[0].resolve() == paths[1].resolve():
        raise ConfigError(f"data.root=[{paths[0]},{paths[1]}]: one place twice. Name the places of A and of B.")
    sources = [open_source(path) for path in paths]
    for source, path in zip(sources, paths, strict=True):
        refuse_empty_source(source, path)
    return sources


def files_by_name(names: Sequence[str], path: Path) -> dict[str, str]:
    """Return files by name, without suffix and shared folders. Raises ConfigError for two files of one name."""
    inner = strip_shared_folders({name: tuple(name.split("/")) for name in names})
    return by_stem({name: "/".join(parts) for name, parts in inner.items()}, path)


def files_of_sides(names: Sequence[str], path: Path) -> list[dict[str, str]] | None:
    """Return the files of A and of B by name, if one place has folders of both; None: it has none.

    Folders are A and B, outside of those for training and testing or inside, or trainA, trainB and the like, whose
    files are named as if they lay in A/train and B/train.
    """
    inner = strip_shared_folders({name: tuple(name.split("/")) for name in names})
    for depth in (0, 1):
        sides = find_sides(folders_at(inner, depth))
        named: dict[str, dict[str, str]] = {"A": {}, "B": {}}
        for name, parts in inner.items():
            if len(parts) > depth + 1 and parts[depth] in sides:
                side, split = sides[parts[depth]]
                named[side][name] = "/".join((*parts[:depth], *([split] if split else []), *parts[depth + 1 :]))
        if sides:
            return [by_stem(files, path) for files in named.values()]
    return None


def by_stem(shown: dict[str, str], path: Path) -> dict[str, str]:
    """Return files by what they are called, without suffix. Raises ConfigError for two files of one name."""
    found: dict[str, str] = {}
    for file, name in shown.items():
        short = stem_of(name)
        if short in found:
            raise ConfigError(f"data.root={path}: {found[short]} and {file} have the same name. Remove one of them.")
        found[short] = file
    return found
