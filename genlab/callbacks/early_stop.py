"""Ends a run that has stopped improving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.metrics.scores.fid import FID
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from genlab.trainers.trainer import Trainer

MONITORS = {"fid": "score/fid", "wasserstein": "discriminator/wasserstein", "loss": "generator/adversarial"}
KEY = "callbacks.early_stop.monitor"


class EarlyStop(Callback):
    """Stops once the best value is `patience` images old. Lower is better.

    fid: as measured. wasserstein, loss: the absolute value of an exponential mean with a half-life of a tenth of
    `patience`. Both start near zero and rise before they fall, so the first `patience` images cannot hold the best
    value. Of the two only wasserstein follows quality (Arjovsky et al. 2017, section 4.2); a GAN's loss says little.

    Raises ConfigError for an unknown monitor, and at the start if nobody will publish it.
    """

    def __init__(
        self,
        monitor: Literal["fid", "wasserstein", "loss"] = "fid",
        patience: Count | None = None,  # images; null: never stop
    ) -> None:
        if monitor not in MONITORS:
            raise ConfigError(f"{KEY}={monitor}: expected one of {', '.join(MONITORS)}.")
        self.monitor, self.patience = monitor, patience
        self.best, self.best_at = float("inf"), 0
        self._mean: float | None = None
        self._seen_at = 0

    def start(self, trainer: Trainer) -> None:
        problem = None if self.patience is None else CHECKS[self.monitor](trainer)
        if problem:
            raise ConfigError(f"{KEY}={self.monitor}: {problem}, or callbacks.early_stop.patience=null.")

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        value = values.get(MONITORS[self.monitor])
        if self.patience is None or value is None:
            return
        if MONITORS[self.monitor].startswith("score/"):
            self._judge(trainer, value, eligible=True)
        else:
            self._judge(trainer, abs(self._smooth(value, trainer.images)), eligible=trainer.images > self.patience)

    def state_dict(self) -> dict[str, Any]:
        return {
            "monitor": self.monitor,
            "best": self.best,
            "best_at": self.best_at,
            "mean": self._mean,
            "seen_at": self._seen_at,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state["monitor"] != self.monitor:  # another quantity's best means nothing here
            return
        self.best, self.best_at = state["best"], state["best_at"]
        self._mean, self._seen_at = state["mean"], state["seen_at"]

    def _smooth(self, value: float, images: int) -> float:
        kept = 0.5 ** (10 * (images - self._seen_at) / self.patience)
        self._mean = value if self._mean is None else value + kept * (self._mean - value)
        self._seen_at = images
        return self._mean

    def _judge(self, trainer: Trainer, value: float, *, eligible: bool) -> None:
        if value < self.best or not eligible:
            self.best_at = trainer.images
            self.best = value if eligible else float("inf")
        elif trainer.images - self.best_at >= self.patience:
            trainer.stop(
                f"{self.monitor} was best ({self.best:.4g}) at {self.best_at:,} images and has not improved for "
                f"{trainer.images - self.best_at:,}; callbacks.early_stop.patience={self.patience}."
            )


def _no_fid(trainer: Trainer) -> str | None:
    scores = trainer.callbacks.get("scores")
    measured = {} if scores is None else scores.evaluation.metrics
    if not any(isinstance(metric, FID) for metric in measured.values()):
        return f"no FID is measured (metrics=[{','.join(measured)}]); add it, metrics=[{','.join(['fid', *measured])}]"
    return None if scores.every else "FID is measured at the end alone; set metrics.every"


def _no_wasserstein(trainer: Trainer) -> str | None:
    import torch

    adversarial = "discriminator" in trainer.players
    if adversarial and "wasserstein" in trainer.loss.watch(torch.zeros(1), torch.zeros(1)):
        return None
    return f"{type(trainer.loss).__name__} does not estimate it; choose loss=wasserstein, or another monitor"


def _no_loss(trainer: Trainer) -> str | None:
    if "generator" in trainer.players:
        return None
    return f"this system has no generator, only {', '.join(trainer.players)}; choose another monitor"


CHECKS = {"fid": _no_fid, "wasserstein": _no_wasserstein, "loss": _no_loss}
