"""Writing into a cache that several processes share: under another name first, under a lock, and with checksums."""

import json
import logging
import os
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from genlab.core.foreign_files import open_regular, parse_json, read_text

log = logging.getLogger(__name__)

PART = re.compile(r"\.([0-9a-f]{64}|reference-[0-9a-f]{64}\.safetensors)-[0-9a-f]{8}")
CHECKSUMS = "checksums.json"
BLOCK_BYTES = 2**22  # that one checksum is of; so many threads at a time read one each:
THREADS = min(8, os.cpu_count() or 1)


def part_of(path: Path) -> Path:
    """Return the name under which an entry is written, before it is renamed to `path`."""
    return path.with_name(f".{path.name}-{uuid4().hex[:8]}")


@contextmanager
def lock_entry(path: Path, busy: str = "") -> Iterator[bool]:
    """Lock an entry, and tell whether the file system has locks; without, the last rename wins, with the same content.

    Logs `busy` if another process has it. Raises OSError if the folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.info(busy)
        lock.acquire()
    except (OSError, NotImplementedError):
        log.debug("no lock on %s", path.parent)
    try:
        yield lock.is_locked
    finally:
        lock.release()


def remove_stale_parts(entry: Path) -> None:
    """Remove what killed processes left in the folder of an entry that is locked: parts that nobody has locked."""
    parts = {path: found.group(1) for path in entry.parent.iterdir() if (found := PART.fullmatch(path.name))}
    for part, name in parts.items():
        lock = FileLock(entry.with_name(f"{name}.lock"))
        try:
            if name != entry.name:
                lock.acquire(blocking=False)
            remove_path(part)
        except (Timeout, OSError, NotImplementedError):  # it is being written, or there are no locks
            continue
        finally:
            lock.release()


def remove_path(path: Path) -> None:
    """Remove a folder or a file, if there is one and it can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.debug("%s cannot be removed: %s", path, error)


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files in a folder."""
    found = {path.name: block_checksums(path) for path in sorted(folder.iterdir())}
    (folder / CHECKSUMS).write_text(json.dumps(found), encoding="utf-8")


def require_checksums(folder: Path, names: Iterable[str]) -> None:
    """Raise ValueError, or OSError, unless these files and all others with a checksum are as they were written."""
    written = parse_json(read_text(folder / CHECKSUMS))
    if not isinstance(written, dict) or not set(names) <= set(written):
        raise ValueError(f"{CHECKSUMS} lacks files")
    for name, expected in written.items():
        if block_checksums(folder / name) != expected:
            raise ValueError(f"the checksum of {name} differs")


def block_checksums(path: Path) -> list[int]:
    """Return the CRC-32 of each block of a file."""

    def checksum(start: int) -> int:
        with open_regular(path) as file:
            file.seek(start)
            return zlib.crc32(file.read(BLOCK_BYTES))

    with ThreadPoolExecutor(THREADS) as pool:  # zlib releases Python's lock
        return list(pool.map(checksum, range(0, max(1, path.stat().st_size), BLOCK_BYTES)))
