"""The progress of a run: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from genlab.core.errors import GenlabError
from genlab.core.types import Count, Seconds
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live

SPEED_NAME = "speed/images_per_second"


class Progress(Callback):
    """Shows position, speed, time left, losses and the last scores, all from published numbers without the device."""

    def __init__(
        self,
        every: Count | None = 1_000,  # images between looks at the clock
        *,
        seconds: Seconds = 10.0,  # between plain lines, at least
        shown: Sequence[str] = ("*/adversarial", "score/*"),  # published names; * stands for anything
    ) -> None:
        self.every, self.seconds, self.shown = every, seconds, tuple(shown)
        self._values: dict[str, float] = {}
        self._speed: float | None = None
        self._work = ""  # of another callback, such as scoring
        self._live: Live | None = None
        self._began = self._printed = 0.0
        self._first = 0

    def start(self, trainer: Trainer) -> None:
        self._printed = time.monotonic()
        self.after_rollback(trainer)
        self._live = self._open_display(trainer) if _on_terminal() else None

    def after_rollback(self, trainer: Trainer) -> None:
        self._began, self._first = time.monotonic(), trainer.images

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        shown = {name: value for name, value in values.items() if any(fnmatch(name, one) for one in self.shown)}
        self._values = {**self._values, **shown}  # a new dict: the display's thread may be reading the old one
        self._speed = values.get(SPEED_NAME, self._speed)
        self.tick(trainer)

    def announcement(self, trainer: Trainer, work: str) -> None:
        self._work = work
        if work:
            self.tick(trainer)

    def tick(self, trainer: Trainer) -> None:
        if self._live is None and time.monotonic() - self._printed >= self.seconds:
            self._print(trainer)

    def finish(self, trainer: Trainer) -> None:
        if self._live is None:
            return self._print(trainer)
        self._live.stop()
        self._live = None

    def fail(self, trainer: Trainer, error: GenlabError) -> None:
        self.finish(trainer)

    def line(self, trainer: Trainer) -> str:
        """Return the progress as plain text."""
        parts = [f"[{self._percent(trainer)}]", *self._counts(trainer), self._time_left(trainer), *self._numbers()]
        return "  ".join(part for part in parts if part)

    def display(self, trainer: Trainer) -> Group:
        """Return the progress for a terminal: a bar, counts and numbers, wrapped if the terminal is narrow."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(ratio=1)
        bar.add_column(no_wrap=True)
        summary = f"{self._percent(trainer)}  {self._time_left(trainer)}"
        bar.add_row(ProgressBar(total=trainer.total_images, completed=trainer.images), summary)
        return Group(bar, Text("   ".join(self._counts(trainer))), Text("   ".join(self._numbers()), style="dim"))

    def _open_display(self, trainer: Trainer) -> Live:
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
        return f"{min(trainer.images / trainer.total_images, 1):6.1%}"  # the last batch may go beyond

    def _counts(self, trainer: Trainer) -> list[str]:
        speed = [] if self._speed is None else [f"{self._speed:,.0f} images/s"]
        work = [self._work] if self._work else []
        return [f"{trainer.images:,} / {trainer.total_images:,} images", f"step {trainer.step:,}", *speed, *work]

    def _time_left(self, trainer: Trainer) -> str:
        """Estimate the time left from the pace, scores included, since the run was started, resumed or went back.

        "" once all images were shown: what is left then, such as the last scores, has no pace.
        """
        done, left = trainer.images - self._first, trainer.total_images - trainer.images
        if left <= 0:
            return ""
        if done <= 0:
            return "-:--:-- left"
        return f"{timedelta(seconds=int(left * (time.monotonic() - self._began) / done))} left"

    def _numbers(self) -> list[str]:
        return [f"{_label(name)} {value:.4g}" for name, value in self._values.items()]


def _label(name: str) -> str:
    """Return FID for `score/fid`; other names as TensorBoard shows them."""
    return name.removeprefix("score/").upper() if name.startswith("score/") else name


def _on_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
