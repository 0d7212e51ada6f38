"""The layer that makes a process's files fail does so at the call it is told, in a child of this process."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("file_faults")


def in_child(work: Callable[[], None]) -> int:
    """Return the exit code of a child that does the work; the error's number if it raises OSError."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
        os._exit(0)
    except OSError as error:
        os._exit(error.errno)
    finally:
        os._exit(255)


def write_and_place(folder: Path) -> None:
    with (folder / "part").open("wb") as file:
        file.write(b"12345678")
        file.flush()
        os.fsync(file.fileno())
    os.replace(folder / "part", folder / "whole")


CALLS = {1: "open", 2: "write", 3: "fsync", 4: "replace"}


def left_by(faults: ModuleType, folder: Path, kind: str, call: int) -> tuple[int, dict[str, bytes], str]:
    """Return the exit code, the files and the ledger of a child with a fault at a call."""
    ledger, inside = folder / "ledger", folder / "files"
    inside.mkdir()

    def work() -> None:
        faults.FileLayer(inside, ledger, faults.Fault(kind, call)).install()
        write_and_place(inside)

    code = in_child(work)
    return code, {path.name: path.read_bytes() for path in inside.iterdir()}, ledger.read_text()


@pytest.mark.parametrize("call", CALLS)
def test_an_error_at_each_call(faults, tmp_path, call):
    code, files, ledger = left_by(faults, tmp_path, "EIO", call)
    assert code == 5 and "whole" not in files and f"fault EIO {CALLS[call]} " in ledger


def test_a_kill_in_the_middle_of_a_write_leaves_half(faults, tmp_path):
    assert left_by(faults, tmp_path, "kill", 2)[:2] == (-signal.SIGKILL, {"part": b"1234"})


def test_a_full_disk_stays_full(faults, tmp_path):
    def work() -> None:
        faults.FileLayer(tmp_path, tmp_path / "ledger", faults.Fault("ENOSPC", 2)).install()
        for name in ("one", "two"):
            with pytest.raises(OSError, match="No space left"), (tmp_path / name).open("w", buffering=1) as file:
                file.write("12345678\n")

    assert in_child(work) == 0
    assert (tmp_path / "one").stat().st_size < 9


def test_without_a_fault_all_is_written_and_noted(faults, tmp_path):
    code, files, ledger = left_by(faults, tmp_path, "EIO", 99)
    assert (code, files) == (0, {"whole": b"12345678"})
    assert ledger.splitlines()[-1] == "placed whole" and ledger.count("call") == len(CALLS)
