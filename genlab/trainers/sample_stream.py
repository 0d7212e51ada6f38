"""Samples of a model in training or of a loaded one, drawn from a fixed stream of noise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from genlab.core.device import choose_device, precision_of
from genlab.core.errors import require
from genlab.core.evaluation_mode import evaluating
from genlab.core.pixels import to_network_input
from genlab.core.random import Draws
from genlab.core.spec import Spec
from genlab.data import InMemory, Split
from genlab.losses.reconstruction import Reconstruction
from genlab.models.contract import Model
from genlab.trainers.ema import EMA

ROWS_PER_DRAW = 500  # of the fixed noise, drawn together


@dataclass(frozen=True, kw_only=True)
class SampleStream:
    """A model and the fixed noise of its samples: row i is always the same.

    It holds nothing of how the model is trained. `dataclasses.replace(stream, seed=1)` draws other samples of the same
    model.
    """

    model: Model
    data: InMemory
    seed: int
    device: torch.device
    dtype: torch.dtype  # of weights and images
    ema: EMA | None = None  # the averaged generator; null: samples come from the model's
    decoding: Reconstruction | None = None  # reads a decoder's output as an image; None: the output is one
    own_data: bool = True  # the data are those of training
    growing: bool = False  # images may still be small, and are enlarged to the data's size

    @property
    def spec(self) -> Spec:
        return self.data.spec

    @property
    def parts(self) -> dict[str, Any]:
        """Return the part of a checkpoint that samples depend on, by name."""
        networks = self.model.players or {"solution": self.model}
        averaged = {"ema": self.ema.network} if self.ema else {}
        return {f"network/{name}": network for name, network in networks.items()} | averaged

    @torch.no_grad()
    def draw_samples(self, start: int, count: int, condition: Tensor | None = None, *, back: bool = False) -> Tensor:
        """Return images `start` to `start + count` [count, C, H, W] of the fixed noise.

        The condition is `sample_conditions` of the same rows if none is given. With `back`, a model that translates
        both ways makes source pictures of images, which are then the condition.
        """
        if condition is None:
            condition = self.sample_conditions(start, count)
        with self.sampling() as generator:
            noise = self.fixed_rows(start, count, self.model.latent.draw)
            return self.render((generator.get_submodule("back") if back else generator)(noise, condition))

    def sample_conditions(self, start: int, count: int) -> Tensor | None:
        """Return the conditions of samples: random labels of training images, or the sources of `data.examples`.

        None: the model is not conditional.
        """
        if not self.model.conditional:
            return None
        if self.spec.has_source:
            return self._on_device(self.data.conditions(self.data.examples, start, count))
        return self._on_device(self.fixed_rows(start, count, self._draw_labels))

    def conditions_of(self, split: Split, count: int) -> Tensor | None:
        """Return the conditions of the first rows of a split; None: the model is not conditional."""
        if not self.model.conditional:
            return None
        return self._on_device(self.data.conditions(split, 0, min(count, len(split.images))))

    @property
    def translates(self) -> bool:
        return self.model.conditional and self.spec.has_source

    def translations(self, start: int, count: int) -> dict[str, Tensor]:
        """Return rows of `data.examples` and their translations, by kind, as networks see them.

        A model that translates both ways gives pictures, images of them and pictures of those; then images of the data,
        back and there likewise. Of pairs, each image is the target of the picture above it.
        """
        split = self.data.examples
        sources = require(self.sample_conditions(start, count), "this model makes no images from pictures.")
        made = {"input": sources, "output": self.draw_samples(start, count, sources)}
        if not self.model.translates_both_ways:
            targets = to_network_input(split.images[start : start + count], torch.float32)
            return made | ({"target": targets} if self.data.aligned else {})
        rows = torch.arange(start, start + count) % len(split.images)
        made["cycle"] = self.draw_samples(start, count, made["output"], back=True)
        made["image"] = to_network_input(split.images[rows], torch.float32).to(self.device, self.dtype)
        made["back"] = self.draw_samples(start, count, made["image"], back=True)
        made["back_cycle"] = self.draw_samples(start, count, made["back"])
        return made

    @property
    def caption(self) -> str:
        return self.model.caption

    def render(self, output: Tensor) -> Tensor:
        """Return the network's output as images in [-1, 1]."""
        images = output if self.decoding is None else self.decoding.mean_image(output)
        full = self.spec.shape[1:]
        grown = not self.growing or images.shape[2:] == full
        return images if grown else interpolate(images, size=full, mode="nearest")

    def fixed_rows(self, start: int, count: int, draw: Callable[[Draws], Tensor]) -> Tensor:
        """Return rows `start` to `start + count` of an endless fixed stream."""
        chunks = range(start // ROWS_PER_DRAW, -(-(start + count) // ROWS_PER_DRAW))
        rows = torch.cat([draw(self.fixed_draws(chunk)) for chunk in chunks])
        first = start - chunks.start * ROWS_PER_DRAW
        return rows[first : first + count]

    def _draw_labels(self, draws: Draws) -> Tensor:
        labels = require(self.data.train.labels, "the data have no labels.")
        condition = require(self.spec.condition, "the data have no condition.")
        rows = (draws.uniform("labels").cpu() * len(labels)).long()
        return condition.as_input(labels[rows], self.dtype)

    def _on_device(self, condition: Tensor) -> Tensor:
        return condition.to(self.device, self.dtype if condition.is_floating_point() else None)

    def fixed_draws(self, chunk: int) -> Draws:
        """Return the draws of a chunk, `ROWS_PER_DRAW` rows, of the fixed stream."""
        return Draws((self.seed, "samples", chunk), ROWS_PER_DRAW, 0, ROWS_PER_DRAW, self.device, self.dtype)

    @contextmanager
    def sampling(self) -> Iterator[nn.Module]:
        """Give the generator that samples come from, in evaluation mode."""
        with evaluating(self.ema.network if self.ema else self.model.generator) as generator:
            yield generator


@dataclass(frozen=True, kw_only=True)
class TrainedRun(SampleStream):
    """A run as a checkpoint left it, and its directory."""

    run_dir: Path
    config: dict[str, Any]
    images: int  # seen in training so far
    step: int


def place_model(
    model: Model,
    data: InMemory,
    *,
    seed: int,
    images: int | None,  # of the whole run, which an average's half-life may depend on
    device: str = "auto",
    precision: str = "float32",
    deterministic: bool = False,
    channels_last: bool = True,
    ema: Callable[..., EMA] | None = None,
    **_: Any,  # settings that training alone needs
) -> SampleStream:
    """Move a model to its device and return its sample stream. The keywords are those of every trainer."""
    where, (dtype, _autocast) = choose_device(device, deterministic), precision_of(precision)
    model.to(where, dtype).to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    average = ema(model.generator, images) if ema else None
    return SampleStream(model=model, data=data, seed=seed, device=where, dtype=dtype, ema=average)
