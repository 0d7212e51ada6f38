"""Curves, pictures and scores for experiment trackers: MLflow, and Weights & Biases."""

import re
import time
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer


class Tracker(Callback):
    """Base of trackers. A run has one run there, opened at its first publication and continued when it is resumed."""

    id: str | None = None  # of the run there

    def state_dict(self) -> dict[str, Any]:
        return {"id": self.id}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.id = state["id"]


def import_package(module: str) -> ModuleType:
    """Import a module of an optional package. Raises ConfigError, with the way to install it, if it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        raise ConfigError(f"callbacks.{name}: needs the package {name}. pip install 'genlab[{name}]'.") from error


class MLflow(Tracker):
    """Publishes to MLflow, with images as steps. Raises ConfigError if the package is not installed."""

    def __init__(
        self,
        experiment: str = "genlab",
        *,
        tracking_uri: str | None = None,  # null: as MLFLOW_TRACKING_URI says
    ) -> None:
        self.client = import_package("mlflow.tracking").MlflowClient(tracking_uri)
        self.experiment = experiment

    def start(self, trainer: Trainer) -> None:
        run = self._open(trainer)
        self.client.update_run(run, status="RUNNING")
        self.client.log_dict(run, trainer.config, "config.yaml")

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, trainer.images) for name, value in values.items()]
        self.client.log_batch(self._open(trainer), metrics=metrics)

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        pixels = image.permute(1, 2, 0).cpu().numpy()
        folder = re.sub(r"[^\w-]+", "_", name)
        self.client.log_image(self._open(trainer), pixels, artifact_file=f"{folder}/{trainer.images:09d}.png")

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        self.client.log_dict(self._open(trainer), record, f"records/{record['metric']}-{trainer.images:09d}.json")

    def finish(self, trainer: Trainer) -> None:
        complete = trainer.images >= trainer.total_images
        self.client.set_terminated(self._open(trainer), "FINISHED" if complete else "KILLED")

    def _open(self, trainer: Trainer) -> str:
        """Return the id of the run there, made at the first call: another callback may publish before `start`."""
        if self.id is None:
            known = self.client.get_experiment_by_name(self.experiment)
            experiment = known.experiment_id if known else self.client.create_experiment(self.experiment)
            self.id = self.client.create_run(experiment, run_name=trainer.run_dir.name).info.run_id
        return self.id


class Wandb(Tracker):
    """Publishes to Weights & Biases, with images as steps. Raises ConfigError if the package is not installed."""

    def __init__(
        self,
        project: str = "genlab",
        *,
        mode: Literal["online", "offline", "disabled"] | None = None,  # null: as WANDB_MODE says
    ) -> None:
        self.wandb, self.project, self.mode = import_package("wandb"), project, mode
        self._run: Any = None

    def start(self, trainer: Trainer) -> None:
        self._open(trainer)

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        self._open(trainer).log({"images": trainer.images, **values})

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        pixels = image.permute(1, 2, 0).cpu().numpy()
        self._open(trainer).log({"images": trainer.images, name: self.wandb.Image(pixels)})

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        self._open(trainer).summary[f"record/{record['metric']}"] = record

    def finish(self, trainer: Trainer) -> None:
        self._open(trainer).finish()

    def _open(self, trainer: Trainer) -> Any:
        """Return the run there, made at the first call: another callback may publish before `start`."""
        if self._run is None:
            self._run = self.wandb.init(
                project=self.project,
                id=self.id,
                resume="allow",
                mode=self.mode,
                dir=str(trainer.run_dir),
                name=trainer.run_dir.name,
                config=trainer.config,
            )
            self._run.define_metric("*", step_metric="images")
            self.id = self._run.id
        return self._run
