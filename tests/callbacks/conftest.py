"""A fake trainer, its own stream of samples, that records the calls of callbacks and trains nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from genlab.data import InMemory
from genlab.data.dataset import Split
from genlab.losses import NonSaturating


class FakeStatistics:
    """One value an image since the last flush."""

    def __init__(self, trainer: FakeTrainer) -> None:
        self.trainer, self.flushed_at = trainer, 0

    def __len__(self) -> int:
        return self.trainer.images - self.flushed_at

    def flush(self) -> dict[str, float]:
        self.flushed_at = self.trainer.images
        return {"generator/adversarial": 0.5}


class FakeTrainer:
    caption = ""
    iterates = own_data = True

    def __init__(self, run_dir: Path, images: Tensor | None = None, padding: int = 0) -> None:
        pictures = torch.arange(100 * 28 * 28).reshape(100, 1, 28, 28).to(torch.uint8) if images is None else images
        self.data = InMemory(Split(pictures), padding=padding)
        self.samples, self.ema, self.dtype = self, None, torch.float32
        self.run_dir, self.device, self.seed, self.batch_size = run_dir, torch.device("cpu"), 0, 10
        self.images = self.step = self.resumed_from = 0
        self.total_images, self.callback_seconds = 1_000, 0.0
        self.config: dict[str, Any] = {"seed": 0, "metrics": {"every": 100}, "trainer": {"images": 1_000}}
        self.loss = NonSaturating()
        self.model = SimpleNamespace(conditional=False)
        self.engine = SimpleNamespace(dtype=torch.float32)
        self.players = {"generator": None, "discriminator": None}
        self.statistics = FakeStatistics(self)
        self.callbacks: dict[str, Any] = {}
        self.published: list[dict[str, float]] = []
        self.shown: list[tuple[str, Tensor]] = []
        self.stopped: str | None = None
        self.interrupted = False
        self.stop_reason: str | None = None

    @property
    def spec(self):
        return self.data.spec

    def at(self, images: int) -> FakeTrainer:
        self.images, self.step = images, images // self.batch_size
        return self

    def learning_rates(self) -> dict[str, float]:
        return {"generator/lr": 2e-4}

    def sample_conditions(self, start: int, count: int) -> Tensor | None:
        return None

    def draw_samples(self, start: int, count: int, condition: Tensor | None = None) -> Tensor:
        """Return images of one grey each: sample i is i levels above black."""
        shades = torch.arange(start, start + count).view(-1, 1, 1, 1) / 127.5 - 1
        return shades.expand(count, *self.spec.shape)

    def publish(self, values: dict[str, float]) -> None:
        self.published.append(values)
        for callback in self.callbacks.values():
            callback.scalars(self, values)

    def show(self, name: str, image: Tensor) -> None:
        self.shown.append((name, image))

    def announce(self, work: str) -> None:
        for callback in self.callbacks.values():
            callback.announcement(self, work)

    def stop(self, reason: str) -> None:
        self.stopped = reason


@pytest.fixture
def trainer(tmp_path: Path) -> FakeTrainer:
    return FakeTrainer(tmp_path)


@pytest.fixture
def make_trainer():
    return FakeTrainer
