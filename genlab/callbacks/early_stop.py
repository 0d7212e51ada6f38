"""The end of runs that have stopped improving."""

import math
from typing import Any

import torch

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer

MONITOR_KEY = "callbacks.early_stop.monitor"


class EarlyStop(Callback):
    """Stops the run once the best value of the monitor is `patience` images old.

    The monitor is a score by its name (`fid`, `recall`, `test_accuracy`), whose record says which way is better; or a
    curve of training by its name in TensorBoard (`generator/adversarial`, short `loss`), or an estimate that the loss
    makes (`wasserstein`). Curves are compared by the absolute value of an exponential mean with a half-life of a
    tenth of `patience`; lower is better. They start near zero and rise before they fall, so the first `patience`
    images cannot hold the best value. Wasserstein's estimate follows quality (Arjovsky et al. 2017, section 4.2); a
    GAN's loss says little.

    Raises ConfigError at the start if no callback will publish the monitor.
    """

    def __init__(
        self,
        monitor: str = "fid",
        patience: Count | None = None,  # images; null: never stop
    ) -> None:
        self.monitor, self.patience = monitor, patience
        self.curve = {"loss": "generator/adversarial"}.get(monitor, monitor)
        self.best, self.best_at = math.inf, 0  # where higher is better, its negative
        self._sign = 1
        self._mean: float | None = None
        self._mean_at = 0

    def start(self, trainer: Trainer) -> None:
        problem = None if self.patience is None else self._find_problem(trainer)
        if problem:
            raise ConfigError(f"{MONITOR_KEY}={self.monitor}: {problem}, or callbacks.early_stop.patience=null.")

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        if self.patience is not None and record["metric"] == self.monitor:
            self._sign = -1 if record["higher_is_better"] else 1
            self._compare(trainer, self._sign * record["value"], eligible=True)

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        curve = [value for name, value in values.items() if name in (self.curve, f"discriminator/{self.curve}")]
        if self.patience is not None and curve:
            mean = self._smooth(curve[0], trainer.images)
            self._compare(trainer, abs(mean), eligible=trainer.images > self.patience)

    def state_dict(self) -> dict[str, Any]:
        best = {"monitor": self.monitor, "best": self.best, "best_at": self.best_at}
        return best | {"mean": self._mean, "seen_at": self._mean_at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["monitor"] != self.monitor:  # another quantity's best means nothing here
            return
        self.best, self.best_at = state["best"], state["best_at"]
        self._mean, self._mean_at = state["mean"], state["seen_at"]

    def _smooth(self, value: float, images: int) -> float:
        kept = 0.5 ** (10 * (images - self._mean_at) / self.patience)
        self._mean = value if self._mean is None else value + kept * (self._mean - value)
        self._mean_at = images
        return self._mean

    def _compare(self, trainer: Trainer, value: float, *, eligible: bool) -> None:
        if value < self.best or not eligible:
            self.best_at = trainer.images
            self.best = value if eligible else math.inf
        elif trainer.images - self.best_at >= self.patience:
            best = f"{self.monitor} was best ({self._sign * self.best:.4g}) at {self.best_at:,} images"
            since = f"has not improved for {trainer.images - self.best_at:,}"
            trainer.stop(f"{best} and {since}; callbacks.early_stop.patience={self.patience}.")

    def _find_problem(self, trainer: Trainer) -> str | None:
        """Return why the monitor will not be published, or not often enough; None if it will."""
        scoring = [callback for callback in trainer.callbacks.values() if callback.publishes_score(self.monitor)]
        if scoring:
            repeated = any(callback.every for callback in scoring)
            return None if repeated else "is measured at the end alone; set its every"
        player, _, name = self.curve.rpartition("/")
        if player:
            players = ", ".join(trainer.players) or "none"
            return None if player in trainer.players else f"this system has no {player}, its players are {players}"
        has_estimates = "discriminator" in trainer.players
        estimates = list(trainer.loss.watch(torch.zeros(1), torch.zeros(1))) if has_estimates else []
        if name in estimates:
            return None
        return (
            f"no such score is measured, and {type(trainer.loss).__name__} does not estimate it (it estimates "
            f"{', '.join(estimates) or 'nothing'}). Add its metric, choose another monitor"
        )
