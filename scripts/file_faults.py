"""A layer between a process and its files that makes one call fail: an error, or a kill in the middle of a write.

Only for a process of one's own, such as a forked child: it replaces functions of `io`, `builtins` and `os`.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("ENOSPC", "EIO", "kill")


@dataclass(frozen=True)
class Fault:
    kind: str  # of KINDS
    call: int  # the call that fails, counted from 1


class FileLayer:
    """Writes each call that changes files below `folder` to a ledger, a line each, and makes one of them fail.

    A disk that is full (ENOSPC) stays full: every later write fails as well. A write that fails, or in which the
    process is killed, leaves the first half of its bytes.
    """

    def __init__(self, folder: Path, ledger: Path, fault: Fault | None = None) -> None:
        self.folder, self.fault, self.calls = str(folder), fault, 0
        self.ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.real_open, self.real_replace, self.real_fsync, self.real_write = io.open, os.replace, os.fsync, os.write

    def install(self) -> None:
        io.open = builtins.open = self.open
        os.replace, os.fsync, os.write = self.replace, self.fsync, self.write

    def open(self, file: Any, mode: str = "r", buffering: int = -1, *options: Any, **named: Any) -> Any:
        watched = isinstance(file, (str, os.PathLike)) and os.fspath(file).startswith(self.folder)
        if not watched or not set(mode) & set("wax+"):
            return self.real_open(file, mode, buffering, *options, **named)
        self.pass_call("open", file)
        raw = WatchedFile(file, mode.replace("b", "").replace("t", ""), self)
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *options, **named)

    def replace(self, source: Any, target: Any, **options: Any) -> None:
        self.pass_call("replace", source)
        self.real_replace(source, target, **options)
        self.note(f"placed {Path(target).name}")

    def fsync(self, file: int) -> None:
        self.pass_call("fsync", file)
        self.real_fsync(file)

    def write(self, file: int, data: bytes) -> int:
        self.pass_call("write", file, lambda: self.real_write(file, data[: len(data) // 2]))
        return self.real_write(file, data)

    def pass_call(self, name: str, file: Any, write_half: Callable[[], Any] = lambda: None) -> None:
        """Count a call. Raises OSError, or kills the process, if it is the one to fail."""
        self.calls += 1
        fault = self.fault
        full = fault is not None and fault.kind == "ENOSPC" and self.calls > fault.call and name == "write"
        if fault and (full or self.calls == fault.call):
            self.note(f"fault {fault.kind} {name} {file}")
            write_half()
            if fault.kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            number = getattr(errno, fault.kind)
            raise OSError(number, os.strerror(number), str(file))
        self.note(f"call {name} {file}")

    def note(self, line: str) -> None:
        self.real_write(self.ledger, f"{line}\n".encode())


class WatchedFile(io.FileIO):
    """A file whose writes pass the layer."""

    def __init__(self, file: Any, mode: str, layer: FileLayer) -> None:
        super().__init__(file, mode)
        self.layer = layer

    def write(self, data: Any) -> int:
        whole = memoryview(data).cast("B")
        self.layer.pass_call("write", self.name, lambda: super(WatchedFile, self).write(whole[: len(whole) // 2]))
        return super().write(whole)
