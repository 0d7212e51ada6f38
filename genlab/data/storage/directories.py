"""Directories of the user's data and of the cache."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Return `$GENLAB_CACHE`, else the platform's folder for caches."""
    if chosen := os.environ.get("GENLAB_CACHE"):
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "genlab"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "genlab"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "genlab"


def data_folder() -> Path:
    """Return the folder for data sets and downloads: `$GENLAB_DATA`, else `data` in the cache folder."""
    chosen = os.environ.get("GENLAB_DATA")
    return Path(chosen).expanduser() if chosen else cache_folder() / "data"
