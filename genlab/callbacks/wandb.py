"""Curves, pictures and scores for Weights & Biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from genlab.core.errors import ConfigError
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer


class Wandb(Callback):
    """A run there for each run here; a resumed one goes on in its own. The step axis counts images.

    Raises ConfigError if the package is not installed.
    """

    def __init__(
        self,
        project: str = "genlab",
        *,
        mode: Literal["online", "offline", "disabled"] | None = None,  # null: as WANDB_MODE says
    ) -> None:
        try:
            import wandb
        except ImportError as error:
            raise ConfigError("callbacks.wandb: needs the package wandb. pip install 'genlab[wandb]'.") from error
        self.wandb, self.project, self.mode = wandb, project, mode
        self._run: Any = None
        self.id: str | None = None

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

    def state_dict(self) -> dict[str, Any]:
        return {"id": self.id}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.id = state["id"]

    def _open(self, trainer: Trainer) -> Any:
        """At the first word of any callback, which may be another one's start."""
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
