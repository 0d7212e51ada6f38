"""Sources of image files: a directory, a zip archive or saved samples. All list names and read files."""

import hashlib
import json
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

from genlab.core.errors import ConfigError
from genlab.core.foreign_files import MAX_BYTES, MAX_VALUES, is_regular, open_regular, read_bytes
from genlab.data.storage.content_hash import content_key, size_and_times
from genlab.data.storage.file_kinds import HEAD_BYTES, OWN_FILES, is_hidden, is_own_png, sort_out_visible
from genlab.data.storage.packing import require_plain_packing
from genlab.data.storage.samples_file import SamplesFile

MAX_NAMES_LISTED = 10  # in a message
MAX_LABEL_BYTES = 2**14  # of one picture's caption or numbers
CLOSED_FOLDERS, REPEATED_FOLDERS = "folders that cannot be opened", "links to folders that are read elsewhere"


class FileSource(Protocol):
    names: list[str]  # of the images, with `/`, sorted
    left_out: Counter[str]  # number of files that are no images, by kind
    label_files: list[str]  # names of dataset.json files

    def content_key(self) -> str: ...
    def stamp(self) -> list[int]: ...  # differs for files that `content_key` cannot tell from each other
    def size(self, name: str) -> int: ...
    def holds(self, name: str) -> bool: ...  # a file of any kind
    def read(self, name: str, most: int) -> bytes: ...  # raises an error for more than `most` bytes


def open_source(root: Path) -> FileSource:
    """Open a source. Raises ConfigError if `root` is no folder, zip or saved samples, or a zip leads out of itself."""
    if root.is_dir():
        return leave_out_own(Directory(root))
    if not root.exists():
        raise ConfigError(f"data.root={root}: there is no such folder or file. Name a folder or a zip of images.")
    if root.suffix.lower() == ".npz":
        return SamplesFile(root)
    if not is_zip(root):
        raise ConfigError(
            f"data.root={root}: neither a folder nor a zip archive (or a damaged one). "
            "Unpack other archives, and name the folder."
        )
    return Zip(root)


def is_zip(path: Path) -> bool:
    return is_regular(path) and zipfile.is_zipfile(path)


class Directory:
    """All images below a folder. Links are followed; hidden pictures are left out and counted."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.abspath(root)
        passed: Counter[str] = Counter()
        self.names, self.left_out, self.label_files = sort_out_visible(_walk(self.root, passed), self.head)
        self.left_out += passed

    def content_key(self) -> str:
        return content_key({name: self.path(name) for name in self.names})

    def stamp(self) -> list[int]:
        return []  # contents are read for the key

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"  # os.path.join is slow for a million files

    def size(self, name: str) -> int:
        return os.stat(self.path(name)).st_size

    def holds(self, name: str) -> bool:
        return os.path.isfile(self.path(name))

    def read(self, name: str, most: int) -> bytes:
        return read_bytes(self.path(name), most)

    def head(self, name: str) -> bytes:
        """Return a file's first bytes; none if it cannot be read."""
        try:
            with open_regular(self.path(name)) as file:
                return file.read(HEAD_BYTES)
        except OSError:
            return b""


def leave_out_own(source: Directory) -> Directory:
    """Leave out and count the pictures that genlab wrote among others; where there are no others they are the set."""
    own = {name for name in source.names if name.lower().endswith(".png") and is_own_png(source.head(name))}
    if own and len(own) < len(source.names):
        source.names = [name for name in source.names if name not in own]
        source.left_out[OWN_FILES] += len(own)
    return source


class Zip:
    """All images in a zip archive. Nothing is unpacked to the disk, and of no member more than it declares."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path)
        except Exception as error:  # a damaged directory raises nearly anything
            raise ConfigError(f"data.root={path}: cannot be opened ({error}). Copy the archive again.") from error
        members = [member for member in self.archive.infolist() if not member.is_dir()]
        refuse_escapes(path, members)
        self.members = {member.filename: member for member in members}
        self.names, self.left_out, self.label_files = sort_out_visible(self.members, self.head)

    def content_key(self) -> str:
        """Return a hash of names, sizes and checksums (CRC-32), which an archive lists at its end."""
        entries = [(name, self.members[name].file_size, self.members[name].CRC) for name in self.names]
        return hashlib.sha256(json.dumps(entries).encode()).hexdigest()

    def stamp(self) -> list[int]:
        """Return size and times: of an archive whose members are damaged, the directory is that of a whole one."""
        return list(size_and_times(self.path))

    def size(self, name: str) -> int:
        return self.members[name].file_size

    def holds(self, name: str) -> bool:
        return name in self.members

    def read(self, name: str, most: int) -> bytes:
        member = self.members[name]
        if member.file_size > most:
            raise OSError(f"{member.file_size:,} bytes, more than {most:,}")
        with self.open(member) as file:
            return file.read(member.file_size)  # without a number it unpacks first, and then cuts to what is declared

    def open(self, member: zipfile.ZipInfo) -> IO[bytes]:
        """Open a member. Raises OSError for one that `require_plain_packing` refuses."""
        require_plain_packing(member)
        return self.archive.open(member)

    def head(self, name: str) -> bytes:
        """Return a member's first bytes; none if it cannot be read."""
        try:
            with self.open(self.members[name]) as file:
                return file.read(HEAD_BYTES)
        except Exception:  # a damaged, locked or strangely packed member raises nearly anything
            return b""


def table_bytes(source: FileSource) -> int:
    """Return how large a file with labels of all pictures may be."""
    return MAX_BYTES + MAX_LABEL_BYTES * len(source.names)


def table_values(source: FileSource) -> int:
    """Return how many values a JSON file on all pictures may hold: 1,000 numbers for each, more in small sets."""
    return MAX_VALUES + 1_000 * len(source.names)


def refuse_escapes(path: Path, members: Iterable[zipfile.ZipInfo]) -> None:
    """Raise ConfigError if a member is a link, or its name leads out of the archive."""
    found = [member.filename for member in members if escapes(member)]
    if found:
        raise ConfigError(
            f"data.root={path}: {len(found)} of its members lead out of the archive (absolute names, `..`, links): "
            f"{list_names(found)}. Such an archive is not opened; pack the images again."
        )


def escapes(member: zipfile.ZipInfo) -> bool:
    parts = member.filename.replace("\\", "/").split("/")
    absolute = parts[0] == "" or parts[0].endswith(":")
    return absolute or ".." in parts or stat.S_ISLNK(member.external_attr >> 16)


def list_names(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - MAX_NAMES_LISTED} more" if len(names) > MAX_NAMES_LISTED else ""
    return ", ".join(names[:MAX_NAMES_LISTED]) + more


def _walk(root: str, passed: Counter[str]) -> Iterator[str]:
    """Yield the files below `root`; each folder is entered once, so that circular links end. Count those passed by."""
    entered = set()
    for folder, children, files in os.walk(root, followlinks=True, onerror=lambda _: passed.update([CLOSED_FOLDERS])):
        found = os.stat(folder)
        if (found.st_dev, found.st_ino) in entered:
            passed.update([] if is_hidden(os.path.relpath(folder, root)) else [REPEATED_FOLDERS])
            children.clear()
            continue
        entered.add((found.st_dev, found.st_ino))
        children.sort()
        inner = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if folder == root else f"{inner}/"
        yield from (prefix + name for name in files)
