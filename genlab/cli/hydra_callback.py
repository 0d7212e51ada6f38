"""What Hydra tells of a sweep in the process that began it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from genlab.cli import sweep


class Watch(Callback):
    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        sweep.begun.append(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        sweep.finished.append(Path(config.hydra.sweep.dir))
