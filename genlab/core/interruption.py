"""Signals that ask a run to end, and the work that they may cut short."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, ClassVar


class Interruption(BaseException):
    """The end of work that a signal cut short. Derived from BaseException: no `except Exception` may swallow it."""


class Signals:
    """Records SIGINT and SIGTERM the first time; the second time they act as usual.

    The first one also ends work that is `interruptible`, which would keep the run from saving.
    """

    current: ClassVar[Signals | None] = None  # a process has one way of handling signals

    def __init__(self) -> None:
        self.received: int | None = None
        self.cutting = False  # within `interruptible` work
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        try:
            self.before = {number: signal.signal(number, self.record) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not in the main thread: whoever owns it handles signals
            self.before = {}
        Signals.current = self
        return self

    def __exit__(self, *_: object) -> None:
        Signals.current = None
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def record(self, number: int, _: FrameType | None) -> None:
        self.received = number
        for other in self.before:
            signal.signal(other, signal.SIG_DFL)
        self.cut()

    def cut(self) -> None:
        if self.cutting and self.received is not None:
            raise Interruption

    @contextmanager
    def set_cutting(self, cutting: bool) -> Iterator[None]:
        """Let signals cut the work in this block, or not.

        C code may turn an Interruption into another error, or swallow it: what a signal fell into is never finished.
        """
        before = self.cutting
        try:
            self.cutting = cutting
            self.cut()
            yield
            self.cut()
        except Exception:
            self.cut()
            raise
        finally:
            self.cutting = before


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal end the work in this block with `Interruption`: work that can be done again, and changes no state.

    A signal that has come before ends it at once. Without `Signals` the work runs as usual.
    """
    if Signals.current is None:
        yield
        return
    with Signals.current.set_cutting(True):
        yield


def end_if_interrupted() -> None:
    """End `interruptible` work if a signal has come, wherever its Interruption went."""
    if Signals.current is not None:
        Signals.current.cut()


@contextmanager
def uninterruptible() -> Iterator[None]:
    """Let work within `interruptible` work end first, such as a line that is being written; then the signal acts."""
    signals = Signals.current
    if signals is None:
        yield
        return
    with signals.set_cutting(False):
        yield
    end_if_interrupted()
