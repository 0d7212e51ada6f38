"""Hydra callback that records where runs and sweeps begin and end, in the process that started them."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from genlab.cli import made_directories, sweep


class SweepRecorder(Callback):
    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        made_directories.note_present(directory_of(config, "run"))

    def on_run_end(self, config: DictConfig, **_: Any) -> None:
        made_directories.forget(directory_of(config, "run"))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        made_directories.note_present(directory_of(config, "sweep"))
        sweep.begun_sweeps.append(directory_of(config, "sweep"))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        made_directories.forget(directory_of(config, "sweep"))
        sweep.finished_sweeps.append(directory_of(config, "sweep"))


def directory_of(config: DictConfig, kind: str) -> Path:
    """Return the directory of a run or sweep. Its name may refer to Hydra's own config, which is set in jobs alone."""
    hydra: Any = HydraConfig.instance()
    before, hydra.cfg = hydra.cfg, config
    try:
        return Path(config.hydra[kind].dir)
    finally:
        hydra.cfg = before
