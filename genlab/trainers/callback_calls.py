"""Calls of a run's callbacks, which bound what an error or a signal in one of them costs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from genlab.core import distributed
from genlab.core.errors import GenlabError, RunError, describe_error
from genlab.core.interruption import Interruption, uninterruptible

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.core.errors import Diverged
    from genlab.trainers.callback import Callback
    from genlab.trainers.trainer import Trainer

log = logging.getLogger(__name__)


class CallbackCalls:
    """Calls the callbacks of a trainer.

    An error costs what the callback would have published: one warning names it, and the run goes on. A GenlabError,
    `sys.exit`, and any error of an `essential` callback end the run. A tick that a signal or such an error cut short is
    owed: the resumed run makes up for it first, so that it publishes the same as a run without either.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.owed: list[str] = []  # names of callbacks with a tick to make up for at this position
        self._warned: set[str] = set()  # names of callbacks

    def notify(self, event: str, *values: Any) -> None:
        """Tell all callbacks of an event. Whoever is cut short by a signal leaves out what it would have done."""
        for name, callback in self._to_call():
            try:
                self._call(name, callback, event, *values)
            except Interruption:  # other ranks do not know of it, and may wait in a callback that asks
                self.trainer.interrupted |= distributed.world_size() == 1

    def publish(self, event: str, *values: Any) -> None:
        """Tell all callbacks of something published, which no signal leaves half-written."""
        with uninterruptible():
            self.notify(event, *values)

    def tick(self, before: int) -> None:
        """Call `tick` of all callbacks whose interval was completed since `before`, in images."""
        images = self.trainer.images
        self._tick_all([name for name, of in self._to_call() if of.every and images // of.every > before // of.every])

    def tick_owed(self) -> None:
        owed, self.owed = self.owed, []
        self._tick_all(owed)

    def _tick_all(self, names: list[str]) -> None:
        """Call `tick` of these. An error that ends the run leaves its callback and the later ones owed."""
        for name, callback in self._to_call() if names else ():
            if name not in names:
                continue
            try:
                self._tick(name, callback)
            except GenlabError:
                self.owed += names[names.index(name) :]
                raise

    def fail(self, error: GenlabError) -> None:
        """Tell all callbacks that the run ends by an error; a second error of theirs is only told."""
        for name, callback in self._to_call():
            try:
                callback.fail(self.trainer, error)
            except (Exception, SystemExit) as second:
                log.warning("callbacks.%s, while the run ends by an error: %s", name, describe_error(second))

    def _tick(self, name: str, callback: Callback) -> None:
        """Call `tick`. After one that was cut short the others are owed too, but for those that other ranks wait in."""
        if self.owed and (distributed.world_size() == 1 or not callback.every_rank):
            self.owed.append(name)
            return
        began = time.perf_counter()
        try:
            self._call(name, callback, "tick")
        except Interruption:
            self.owed.append(name)
        self.trainer.callback_seconds += 0 if callback.every_rank else time.perf_counter() - began

    def _to_call(self) -> Iterator[tuple[str, Callback]]:
        """Yield the callbacks to call: once the run is to go back, only those that every rank calls."""
        for name, callback in self.trainer.callbacks.items():
            if callback.every_rank or (distributed.is_main() and not self.trainer.rollback.target):
                yield name, callback

    def _call(self, name: str, callback: Callback, event: str, *values: Any) -> None:
        try:
            getattr(callback, event)(self.trainer, *values)
        except GenlabError:
            raise
        except SystemExit as error:
            raise RunError(
                f"callbacks.{name} called sys.exit({error.code!r}). A callback ends a run with trainer.stop(reason)."
            ) from error
        except Exception as error:
            if callback.essential:
                raise RunError(f"callbacks.{name}: {describe_error(error)}") from error
            self._warn_once(name, error)

    def _warn_once(self, name: str, error: Exception) -> None:
        if name in self._warned:
            return
        self._warned.add(name)
        where, what = f"callbacks.{name} at {self.trainer.images:,} images", describe_error(error)
        log.warning("%s: %s. The run goes on without it; later errors of it are not told.", where, what)
        log.debug("the error in callbacks.%s", name, exc_info=error)


class Publishing:
    """The methods of a trainer by which callbacks publish numbers, pictures and records to the other callbacks."""

    calls: CallbackCalls

    def publish(self, values: dict[str, float]) -> None:
        self.calls.publish("scalars", values)

    def show(self, name: str, image: Tensor) -> None:
        self.calls.publish("picture", name, image)

    def report(self, record: dict[str, Any]) -> None:
        self.calls.publish("record", record)

    def announce(self, work: str) -> None:
        self.calls.publish("announcement", work)

    def warn_of_sickness(self, error: Diverged) -> None:
        self.calls.publish("sick", error)
