"""What is drawn from a model between steps: samples of a fixed stream, which says nothing of how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from genlab.core.pixels import to_network_input
from genlab.core.random import Draws
from genlab.models.contract import Model

if TYPE_CHECKING:
    from genlab.core.spec import Spec
    from genlab.data import InMemory, Split
    from genlab.trainers.ema import EMA
    from genlab.trainers.turns import Engine

SAMPLES = 500  # rows of the fixed noise that are drawn together


class Sampling:
    """The part of a trainer that metrics and pictures ask: row i of the stream is the same whoever asks, and when."""

    model: Model
    data: InMemory
    ema: EMA | None
    seed: int
    device: torch.device
    engine: Engine

    @property
    def spec(self) -> Spec:
        return self.data.spec

    @torch.no_grad()
    def draw_samples(self, start: int, count: int, condition: Tensor | None = None, *, back: bool = False) -> Tensor:
        """Images `start` to `start + count` [count, C, H, W] of this run's fixed noise, averaged weights if any.

        A conditional model is told `condition`, by default `sample_conditions` of the same rows. `back`: of a model
        that translates both ways, the source pictures that it makes of images, which are then the condition.
        """
        if condition is None:
            condition = self.sample_conditions(start, count)
        with self.sampling() as generator:
            noise = self.fixed(start, count, self.model.latent.draw)
            return self.render((generator.back if back else generator)(noise, condition))

    def sample_conditions(self, start: int, count: int) -> Tensor | None:
        """Of the same samples: labels as the training images have them, or the sources of `data.examples`, in order.

        None: the model is not conditional.
        """
        if not self.model.conditional:
            return None
        if self.spec.has_source:
            return self._on_device(self.data.conditions(self.data.examples, start, count))
        return self._on_device(self.fixed(start, count, self._draw_labels))

    def conditions_of(self, split: Split, count: int) -> Tensor | None:
        """What a conditional model is told of the first rows of a split; None: the model is not conditional."""
        if not self.model.conditional:
            return None
        return self._on_device(self.data.conditions(split, 0, min(count, len(split.images))))

    @property
    def translates(self) -> bool:
        """Does the model make images from pictures?"""
        return self.model.conditional and self.spec.has_source

    def translations(self, start: int, count: int) -> dict[str, Tensor]:
        """What there is to see of rows of `data.examples`: by kind, as networks see it."""
        sources, split = self.sample_conditions(start, count), self.data.examples
        found = {"input": sources, "output": self.draw_samples(start, count, sources)}
        targets = (
            {"target": to_network_input(split.images[start : start + count], torch.float32)}
            if self.data.aligned
            else {}
        )
        return found | targets

    @property
    def caption(self) -> str:
        """What must be known of samples that are no fair picture of the model."""
        return self.model.caption

    @property
    def fair(self) -> bool:
        """Whether samples are a fair picture of the model."""
        return not self.caption

    def render(self, output: Tensor) -> Tensor:
        """What the sampled network gives, as images in [-1, 1]."""
        return output

    def fixed(self, start: int, count: int, draw: Callable[[Draws], Tensor]) -> Tensor:
        """Rows `start` to `start + count` of an endless fixed stream."""
        chunks = range(start // SAMPLES, -(-(start + count) // SAMPLES))
        rows = torch.cat([draw(self.fixed_draws(chunk)) for chunk in chunks])
        first = start - chunks.start * SAMPLES
        return rows[first : first + count]

    def _draw_labels(self, draws: Draws) -> Tensor:
        labels = self.data.train.labels
        rows = (draws.uniform("labels").cpu() * len(labels)).long()
        return self.spec.condition.as_input(labels[rows], self.engine.dtype)

    def _on_device(self, condition: Tensor) -> Tensor:
        """Return a condition on the device, numbers with a fraction in the precision of networks."""
        return condition.to(self.device, self.engine.dtype if condition.is_floating_point() else None)

    def fixed_draws(self, chunk: int) -> Draws:
        """Of `SAMPLES` rows of the fixed stream that samples come from."""
        return Draws((self.seed, "samples", chunk), SAMPLES, 0, SAMPLES, self.device, self.engine.dtype)

    @contextmanager
    def sampling(self) -> Iterator[nn.Module]:
        """The generator that samples come from, in evaluation mode."""
        generator = self.ema.network if self.ema else self.model.generator
        was_training = generator.training
        generator.eval()
        try:
            yield generator
        finally:
            generator.train(was_training)
