"""Where the run is: a live display on a terminal, plain lines elsewhere. It repeats what others published."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from genlab.core.types import Count, Positive
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

    from genlab.trainers.trainer import Trainer

SPEED = "speed/images_per_second"


class Progress(Callback):
    """Position, speed, time left, losses and the last scores. Never touches the device."""

    def __init__(
        self,
        every: Count | None = 1_000,  # images between looks at the clock
        *,
        seconds: Positive = 10.0,  # between plain lines, at least
        shown: Sequence[str] = ("*/adversarial", "score/*"),  # published names; * stands for anything
    ) -> None:
        self.every, self.seconds, self.shown = every, seconds, tuple(shown)
        self._values: dict[str, float] = {}
        self._speed: float | None = None
        self._live: Live | None = None
        self._began = self._printed = 0.0
        self._first = 0

    def start(self, trainer: Trainer) -> None:
        self._printed = time.monotonic()
        self.went_back(trainer)
        self._live = self._open(trainer) if _on_terminal() else None

    def went_back(self, trainer: Trainer) -> None:
        self._began, self._first = time.monotonic(), trainer.images

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        news = {name: value for name, value in values.items() if any(fnmatch(name, shown) for shown in self.shown)}
        self._values = {**self._values, **news}  # a new dict: the display's thread may be reading the old one
        self._speed = values.get(SPEED, self._speed)
        self.tick(trainer)

    def tick(self, trainer: Trainer) -> None:
        if self._live is None and time.monotonic() - self._printed >= self.seconds:
            self._print(trainer)

    def finish(self, trainer: Trainer) -> None:
        if self._live is None:
            return self._print(trainer)
        self._live.stop()
        self._live = None

    def line(self, trainer: Trainer) -> str:
        """All of it as plain text."""
        return "  ".join([f"[{self._percent(trainer)}]", *self._counts(trainer), self._left(trainer), *self._numbers()])

    def display(self, trainer: Trainer) -> Group:
        """All of it for a terminal: a bar, counts, numbers; it wraps where the terminal is narrow."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        summary = f"{self._percent(trainer)}  {self._left(trainer)}"
        bar.add_row(ProgressBar(total=trainer.total_images, completed=trainer.images), summary)
        return Group(bar, Text("   ".join(self._counts(trainer))), Text("   ".join(self._numbers()), style="dim"))

    def _open(self, trainer: Trainer) -> Live:
        from rich.live import Live

        # Twice a second from a thread of its own: below 1 % of a core.
        live = Live(get_renderable=lambda: self.display(trainer), refresh_per_second=2)
        live.start()
        atexit.register(live.stop)  # gives the cursor back if the run dies
        return live

    def _print(self, trainer: Trainer) -> None:
        self._printed = time.monotonic()
        print(self.line(trainer), flush=True)

    def _percent(self, trainer: Trainer) -> str:
        return f"{trainer.images / trainer.total_images:6.1%}"

    def _counts(self, trainer: Trainer) -> list[str]:
        speed = [] if self._speed is None else [f"{self._speed:,.0f} images/s"]
        return [f"{trainer.images:,} / {trainer.total_images:,} images", f"step {trainer.step:,}", *speed]

    def _left(self, trainer: Trainer) -> str:
        """At the pace since the run began here, was resumed or went back; scores included."""
        done, left = trainer.images - self._first, max(trainer.total_images - trainer.images, 0)
        if done <= 0:
            return "-:--:-- left"
        return f"{timedelta(seconds=int(left * (time.monotonic() - self._began) / done))} left"

    def _numbers(self) -> list[str]:
        return [f"{_label(name)} {value:.4g}" for name, value in self._values.items()]


def _label(name: str) -> str:
    """`score/fid` -> `FID`; other names as TensorBoard shows them."""
    return name.removeprefix("score/").upper() if name.startswith("score/") else name


def _on_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
