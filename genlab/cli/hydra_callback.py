"""Hydra callback that records where sweeps begin and end, in the process that started them."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from genlab.cli import sweep


class SweepRecorder(Callback):
    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        sweep.begun_sweeps.append(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        sweep.finished_sweeps.append(Path(config.hydra.sweep.dir))
