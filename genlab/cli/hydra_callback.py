"""Hydra callback that records where runs and sweeps begin and end, in the process that started them."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from genlab.cli import made_directories, sweep


class SweepRecorder(Callback):
    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        made_directories.note_present(Path(config.hydra.run.dir))

    def on_run_end(self, config: DictConfig, **_: Any) -> None:
        made_directories.forget(Path(config.hydra.run.dir))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        made_directories.note_present(Path(config.hydra.sweep.dir))
        sweep.begun_sweeps.append(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        made_directories.forget(Path(config.hydra.sweep.dir))
        sweep.finished_sweeps.append(Path(config.hydra.sweep.dir))
