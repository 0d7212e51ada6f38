"""Statistics of real images, kept between runs in a folder of the user's, under a hash of what made them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

from genlab.metrics.frechet import Moments

FORMAT = 1  # raise it when the meaning of a stored file changes


def cache_folder() -> Path:
    """`$GENLAB_CACHE`, else where the platform keeps what can be computed again."""
    if chosen := os.environ.get("GENLAB_CACHE"):
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "genlab"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "genlab"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "genlab"


def cached_moments(key: dict[str, str | int], compute: Callable[[], Moments]) -> Moments:
    """The moments stored under `key`, or computed and stored. A damaged file is computed again, with a warning.

    `key` holds all that the moments depend on: the images' fingerprint, the extractor, the rules of size.
    """
    key_hash = hashlib.sha256(json.dumps({"format": FORMAT, **key}, sort_keys=True).encode()).hexdigest()
    path = cache_folder() / f"moments-{key_hash}.safetensors"
    found = _load(path) if path.is_file() else None
    if found is None:
        found = compute()
        _store(path, found)
    return found


def _load(path: Path) -> Moments | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            mean, scatter = file.get_tensor("mean"), file.get_tensor("scatter")
            count, checksum = file.metadata()["count"], file.metadata()["sha256"]
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        return _damaged(path, str(error))
    found = Moments(int(count), mean, scatter)
    return found if _checksum(found) == checksum else _damaged(path, "its checksum differs")


def _damaged(path: Path, reason: str) -> None:
    warnings.warn(f"{path} is damaged ({reason}): statistics of real images are computed again.", stacklevel=2)


def _checksum(moments: Moments) -> str:
    digest = hashlib.sha256(str(moments.count).encode())
    for value in moments.tensors().values():
        digest.update(value.contiguous().numpy())
    return digest.hexdigest()


def _store(path: Path, moments: Moments) -> None:
    """Written beside and renamed, so that a run that reads meanwhile never sees half a file."""
    from safetensors.torch import save

    content = save(moments.tensors(), {"count": str(moments.count), "sha256": _checksum(moments)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except OSError as error:
        _warn_once(f"{path.parent} cannot be written ({error}): statistics of real images are not kept between runs.")


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".moments-")
    try:
        with open(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


@cache
def _warn_once(message: str) -> None:
    warnings.warn(f"{message} Set GENLAB_CACHE to a folder that can.", stacklevel=2)
