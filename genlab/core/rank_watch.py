"""A watch over the ranks of a run: if one of them is gone or stands still, the others end as well, with one message.

A collective waits for a rank that never comes: for half an hour with gloo, for ever with NCCL. How long a rank may
rightly stay away is not known (rank 0 alone draws pictures and saves), so no timeout of a collective can tell. A thread
of each rank therefore counts up in a store that all ranks reach, and looks whether the others count on. It touches
neither the main thread nor the device.
"""

import os
import sys
import threading
import time
from typing import Any

from genlab.core.printable import printable

BEAT = 1.0  # seconds between two counts
PATIENCE = 30.0  # seconds without a count, after which a rank is given up
GRACE = 10.0  # seconds in which the other ranks come to the failure that one of them met
FAREWELL = 15.0  # seconds that whoever holds the store waits for the others to leave
EXIT_CODE = 3  # the run failed
LEFT = -1  # the last count of a rank that leaves in good order


class RankWatch:
    """Counts for this rank, and ends its process if another rank is gone, or failed where this one did not."""

    def __init__(self, store: Any, rank: int, ranks: int) -> None:
        self.store, self.rank, self.others = store, rank, [other for other in range(ranks) if other != rank]
        self.failures = 0  # jobs of this process that failed
        self.how_to_resume = ""  # the end of the message
        self.stopped, self.lost_store = threading.Event(), False
        self.answered = time.monotonic()  # when the store last did
        self.count = 0
        self.states = dict.fromkeys(self.others, (0, 0))  # count and failures of each other rank
        self.moved = dict.fromkeys(self.others, self.answered)  # when its count last changed
        self.behind_since: float | None = None  # since when another rank has failed more often than this one
        for loop in (self.exchange_counts, self.watch_counts):
            threading.Thread(target=loop, daemon=True, name=loop.__name__).start()

    def exchange_counts(self) -> None:
        """Tell the store this rank's count and learn the others'. A store whose process stands still blocks here."""
        while not self.stopped.wait(BEAT):
            try:
                self.count += 1
                self.store.set(f"rank {self.rank}", f"{self.count} {self.failures}")
                for other in self.others:
                    self.note(other, self.read(other))
                self.answered = time.monotonic()
            except RuntimeError:  # of the store: its process is gone
                self.lost_store = True
                return

    def note(self, other: int, state: tuple[int, int]) -> None:
        if state[0] != self.states[other][0]:
            self.moved[other] = time.monotonic()
        self.states[other] = state

    def read(self, other: int) -> tuple[int, int]:
        name = f"rank {other}"
        count, failures = self.store.get(name).split() if self.store.check([name]) else (0, 0)
        return int(count), int(failures)

    def watch_counts(self) -> None:
        before = time.monotonic()
        while not self.stopped.wait(BEAT):
            now = time.monotonic()
            if now - before > GRACE:  # this process was stopped itself, and the others perhaps with it
                self.answered, self.moved = now, dict.fromkeys(self.others, now)
            before = now
            self.end_if_others_failed(now)
            self.end_if_others_are_gone(now)

    def end_if_others_failed(self, now: float) -> None:
        behind = any(failures > self.failures for _, failures in self.states.values())
        self.behind_since = (self.behind_since or now) if behind else None
        if self.behind_since and now - self.behind_since > GRACE:
            self.end("")  # the other rank said why

    def end_if_others_are_gone(self, now: float) -> None:
        if all(count == LEFT for count, _ in self.states.values()):
            return
        if self.lost_store or now - self.answered > PATIENCE:
            self.end(self.describe("The process where the ranks meet (rank 0, or torchrun)"))
        for other, (count, _) in self.states.items():
            if count != LEFT and self.answered - self.moved[other] > PATIENCE:
                self.end(self.describe(f"Rank {other}"))

    def describe(self, who: str) -> str:
        return (
            f"{who} no longer answers: it was killed or stopped, or its machine cannot be reached. All ranks end; "
            f"checkpoints so far are kept. {self.how_to_resume}"
        ).rstrip()

    def end(self, message: str) -> None:
        """End the process, whose main thread may wait in a collective for ever, and print the message once."""
        answers = not self.lost_store and time.monotonic() - self.answered < PATIENCE
        if message and (not answers or self.is_first_to_tell()):
            print(f"\nRunError: {printable(message)}", file=sys.stderr, flush=True)
        if answers:
            self.leave()
        os._exit(EXIT_CODE)

    def fail(self) -> bool:
        """Note that a job failed on this rank, and return whether this rank is the first to say why."""
        first = self.is_first_to_tell()
        self.failures += 1
        return first

    def is_first_to_tell(self) -> bool:
        """Return whether no other rank has told why the job fails; also where the store is gone."""
        try:
            return self.lost_store or self.store.add(f"told {self.failures}", 1) == 1
        except RuntimeError:
            return True

    def leave(self) -> None:
        """Tell the others that this rank leaves. Rank 0 goes last: its process may hold the store."""
        self.stopped.set()
        try:
            self.store.set(f"rank {self.rank}", f"{LEFT} {self.failures}")
            deadline = time.monotonic() + FAREWELL * (self.rank == 0)
            while time.monotonic() < deadline and any(self.read(other)[0] != LEFT for other in self.others):
                time.sleep(BEAT / 20)
        except RuntimeError:  # the store is gone, and with it whoever would read this
            pass
