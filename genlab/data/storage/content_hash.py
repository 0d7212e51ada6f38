"""Hash of the names and contents of files, which reads each file once."""

import errno
import hashlib
import json
import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from genlab.data.storage.directories import cache_folder

log = logging.getLogger(__name__)

BLOCK_BYTES = 2**20


def content_key(files: Mapping[str, str | Path]) -> str:
    """Return the SHA-256 over the names and contents of files.

    Contents are read once: files with the same path, size and times are taken as unchanged, as git and make do.
    """
    listing = json.dumps([(name, str(path), *_size_and_times(path)) for name, path in files.items()])
    note = cache_folder() / "images" / "seen" / hashlib.sha256(listing.encode()).hexdigest()
    try:
        return note.read_text(encoding="ascii")
    except OSError:
        return _write_note(note, _hash_files(files))


def _write_note(note: Path, key: str) -> str:
    part = note.with_name(f"{note.name}-{os.getpid()}")
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(key, encoding="ascii")
        part.replace(note)
    except OSError:
        return key  # `fill_once` warns that the cache cannot be written
    return key


def _hash_files(files: Mapping[str, str | Path]) -> str:
    log.info("reading %s files, to know them again", f"{len(files):,}")
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(f"{name}\0{_hash_file(path)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _hash_file(path: str | Path) -> str:
    digest = hashlib.sha256()
    try:
        with open_file(path) as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError as error:  # reported when the file is decoded
        return str(error.errno)
    return digest.hexdigest()


def open_file(path: str | Path) -> BinaryIO:
    """Open a file to read. Raises OSError for what is none: a pipe would be waited for without end."""
    stat_file(path)
    return open(path, "rb")


def stat_file(path: str | Path) -> os.stat_result:
    """Return the facts of a file. Raises OSError for what is none, such as a pipe."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "no regular file")
    return found


def _size_and_times(path: str | Path) -> tuple[int, int, int]:
    """Return size, and times of the last change of content and of attributes; zeros if there is no access."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
