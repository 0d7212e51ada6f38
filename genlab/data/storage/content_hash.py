"""Hash of the names and contents of files, which reads each file once."""

import errno
import hashlib
import json
import logging
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from genlab.core.foreign_files import open_regular, read_text
from genlab.data.storage.directories import cache_folder

log = logging.getLogger(__name__)

BLOCK_BYTES = 2**20
MAX_NOTE_BYTES = 1_000
LASTING = (None, errno.ENOENT, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO)


def content_key(files: Mapping[str, str | Path]) -> str:
    """Return the SHA-256 over the names and contents of files.

    Contents are read once: files with the same path, size and times are taken as unchanged, as git and make do.
    """
    listing = json.dumps([(name, str(path), *size_and_times(path)) for name, path in files.items()])
    note = cache_folder() / "images" / "seen" / hashlib.sha256(listing.encode()).hexdigest()
    return _read_note(note) or _write_note(note, *_hash_files(files))


def _read_note(note: Path) -> str | None:
    """Return the key in a note; None without one, or if it is damaged."""
    try:
        key, check = read_text(note, MAX_NOTE_BYTES).split()
    except (OSError, ValueError):
        return None
    return key if check == _check(key) else None


def _check(key: str) -> str:
    return f"{zlib.crc32(key.encode()):08x}"


def _write_note(note: Path, key: str, lasting: bool) -> str:
    """Note the key, unless files could not be read that may be readable at the next start. Return the key."""
    part = note.with_name(f"{note.name}-{os.getpid()}")
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        if lasting:
            part.write_text(f"{key} {_check(key)}", encoding="ascii")
            part.replace(note)
    except OSError:
        return key  # `fill_once` warns that the cache cannot be written
    return key


def _hash_files(files: Mapping[str, str | Path]) -> tuple[str, bool]:
    """Return the hash, and whether it will be the same as long as sizes and times are."""
    log.info("reading %s files, to know them again", f"{len(files):,}")
    digest, lasting = hashlib.sha256(), True
    for name, path in files.items():
        try:
            found = _hash_file(path)
        except OSError as error:  # reported when the file is decoded
            found, lasting = str(error.errno), lasting and is_lasting(error)
        digest.update(f"{name}\0{found}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest(), lasting


def is_lasting(error: BaseException | None) -> bool:
    """Tell whether an error comes from a file as it is, and not from a disk or a network that fails for a time."""
    return not isinstance(error, OSError) or error.errno in LASTING


def _hash_file(path: str | Path) -> str:
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def size_and_times(path: str | Path) -> tuple[int, int, int]:
    """Return size, and times of the last change of content and of attributes; zeros if there is no access."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
