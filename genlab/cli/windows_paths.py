"""Paths of Windows, such as `C:\\Users\\me\\photos`, typed where they mean nothing."""

import os
import re

from genlab.core.errors import ConfigError

WINDOWS_PATH = re.compile(r"""(?P<key>[\w.@/]+)=['"]?(?:(?P<drive>[A-Za-z]):[\\/]|\\\\)(?P<rest>[^'"]*)['"]?""")


def refuse_windows_paths(words: list[str]) -> None:
    """Raise ConfigError for a path with a drive or of a network share, where the system is not Windows."""
    for word in words:
        if os.name != "nt" and (found := WINDOWS_PATH.fullmatch(word)):
            raise ConfigError(f"{word}: that is a path of Windows, and this system is another one. {advise(found)}")


def advise(found: re.Match[str]) -> str:
    """Return where a drive lies under WSL; a share must be mounted by its user."""
    key, drive, rest = found.groups()
    if drive is None:
        return f"Name the folder where the share is mounted: {key}=/mnt/..."
    path = f"/mnt/{drive.lower()}/" + re.sub(r"[\\/]+", "/", rest)
    quoted = f"'{key}=\"{path}\"'" if " " in path else f"{key}={path}"
    return f"Under WSL its files are at {quoted}"
