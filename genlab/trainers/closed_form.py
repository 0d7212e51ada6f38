"""The strategy for models with a closed-form solution: one step without gradients."""

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.types import Count
from genlab.losses.reconstruction import SquaredError
from genlab.models.contract import SolvedInClosedForm
from genlab.trainers.system import Run, System
from genlab.trainers.trainer import Trainer


class ClosedForm(Trainer):
    """Fits the model in one step to all images, `batch_size` at a time and as often as it asks for them.

    With `images`, it uses only so many of the shuffled images. Raises ConfigError for a loss that the solution does not
    minimise, and for more images than there are.
    """

    iterates: ClassVar[bool] = False

    def __init__(self, system: System, run: Run, *, images: Count | None = None, **shared: Any) -> None:
        if not isinstance(system.loss, SquaredError):
            raise ConfigError(f"loss is {type(system.loss).__name__}: this model minimises loss=squared_error alone.")
        if not isinstance(system.model, SolvedInClosedForm):
            raise ConfigError(
                "trainer: this model has no closed form. Choose the trainer that it comes with, or model=pca."
            )
        available = system.data.spec.images
        if images is not None and images > available:
            raise ConfigError(
                f"trainer.images={images}: there are {available} images; seeing one twice changes nothing."
            )
        super().__init__(system, run, images=images or available, **shared)
        self.solved = system.model

    def take_step(self) -> None:
        self.solved.fit(self.chunks, seed=self.seed)
        self.images += self.total_images
        for name, value in self.solved.facts().items():
            self.statistics.add(f"solution/{name}", value, self.step)

    def chunks(self) -> Iterator[Tensor]:
        """Yield the images [n, D] in float64; on the CPU where the device has no such numbers."""
        place = "cpu" if self.device.type == "mps" else self.device
        for start in range(0, self.total_images, self.batch_size):
            count = min(self.batch_size, self.total_images - start)
            draws = Draws((self.seed, "solution", start), count, 0, count, self.device, self.engine.dtype)
            yield self.stream.batch("solution", start, draws).to(place, torch.float64).flatten(1)
