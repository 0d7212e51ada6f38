"""Cache of statistics of real images, in a folder of the user's, under a hash of all they depend on."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

from torch import Tensor

from genlab.data.storage.directories import cache_folder
from genlab.data.storage.parts import lock_entry, part_of, remove_path, remove_stale_parts

FORMAT = 3  # raise it when the meaning of a stored file changes


def compute_once(key: dict[str, str | int], compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors stored under `key`, or compute and store them; a damaged file is replaced with a warning.

    `key` holds all that they depend on: the images' fingerprint, the extractor, the resize rule.
    """
    key_hash = hashlib.sha256(json.dumps({"format": FORMAT, **key}, sort_keys=True).encode()).hexdigest()
    path = cache_folder() / f"reference-{key_hash}.safetensors"
    found = _load(path) if path.is_file() else None
    if found is None:
        found = compute()
        _store(path, found)
    return found


def _load(path: Path) -> dict[str, Tensor] | None:
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            found, written = {name: file.get_tensor(name) for name in names}, file.metadata()["sha256"]
        if _checksum(found) == written:
            return found
        reason = "its checksum differs"
    except Exception as error:  # a damaged header raises nearly anything
        reason = str(error)
    return _warn_of_damage(path, reason)


def _warn_of_damage(path: Path, reason: str) -> None:
    warnings.warn(f"{path} is damaged ({reason}): statistics of real images are computed again.", stacklevel=2)


def _checksum(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.contiguous().numpy())
    return digest.hexdigest()


def _store(path: Path, tensors: dict[str, Tensor]) -> None:
    """Store the tensors by writing a temporary file and renaming it, so that readers never see half a file."""
    from safetensors.torch import save

    content = save({name: value.contiguous() for name, value in tensors.items()}, {"sha256": _checksum(tensors)})
    try:
        with lock_entry(path) as locked:
            if locked:
                remove_stale_parts(path)
            _write_atomically(path, content)
    except OSError as error:
        _warn_once(f"{path.parent} cannot be written ({error}): statistics of real images are not kept between runs.")


def _write_atomically(path: Path, content: bytes) -> None:
    part = part_of(path)
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        remove_path(part)


@cache
def _warn_once(message: str) -> None:
    warnings.warn(f"{message} Set GENLAB_CACHE to a folder that can.", stacklevel=2)
