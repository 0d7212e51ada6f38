"""Curves, pictures and scores for MLflow."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from genlab.core.errors import ConfigError
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer


class MLflow(Callback):
    """A run there for each run here; a resumed one goes on in its own. Steps count images.

    Raises ConfigError if the package is not installed.
    """

    def __init__(
        self,
        experiment: str = "genlab",
        *,
        tracking_uri: str | None = None,  # null: as MLFLOW_TRACKING_URI says
    ) -> None:
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise ConfigError("callbacks.mlflow: needs the package mlflow. pip install 'genlab[mlflow]'.") from error
        self.client, self.experiment = MlflowClient(tracking_uri), experiment
        self.id: str | None = None

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

    def state_dict(self) -> dict[str, Any]:
        return {"id": self.id}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.id = state["id"]

    def _open(self, trainer: Trainer) -> str:
        """The run's id there; made at the first word of any callback, which may be another one's start."""
        if self.id is None:
            found = self.client.get_experiment_by_name(self.experiment)
            experiment = found.experiment_id if found else self.client.create_experiment(self.experiment)
            self.id = self.client.create_run(experiment, run_name=trainer.run_dir.name).info.run_id
        return self.id
