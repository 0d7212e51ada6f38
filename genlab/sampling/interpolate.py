"""Interpolation between latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from genlab.core.types import Count
from genlab.sampling.mode import Film, Request

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded_run import Loaded


class Interpolate(Film):
    """Film paths through the latents, side by side, as a GIF or MP4 that ends where it began.

    A PNG shows each path as a row, from its first latent to its second. Normal latents are interpolated on an arc,
    uniform ones on a line. Raises ConfigError for latents that cannot be interpolated.
    """

    def __init__(
        self,
        *,
        rows: Count = 4,
        columns: Count = 8,  # a film shows rows x columns paths; a PNG this many pictures of each
        stops: Count = 4,  # latents on a path
        steps: Count = 16,  # frames from one to the next
        rate: Count = 20,  # frames a second
    ) -> None:
        super().__init__(rate)
        self.rows, self.columns, self.stops, self.steps = rows, columns, stops, steps

    def frames(self, loaded: Loaded, request: Request) -> Iterator[Tensor]:
        for z in self.positions(loaded, request):
            yield loaded.draw(loaded.generate(z, classes=request.classes), self.columns)

    def positions(self, loaded: Loaded, request: Request) -> Iterator[Tensor]:
        """Yield the latents [rows * columns, L] of each frame."""
        stops = loaded.latent(self.rows * self.columns * self.stops, seed=request.seed).chunk(self.stops)
        for start, end in zip(stops, [*stops[1:], stops[0]], strict=True):
            for step in range(self.steps):
                yield loaded.run.model.latent.interpolate(start, end, step / self.steps)

    def strips(self, loaded: Loaded, request: Request) -> Tensor:
        start, end = loaded.latent(2 * self.rows, seed=request.seed).chunk(2)
        between, last = loaded.run.model.latent.interpolate, max(1, self.columns - 1)
        z = torch.stack([between(start, end, column / last) for column in range(self.columns)], 1).flatten(0, 1)
        classes = loaded.conditions_of(range(self.rows), **request.options)
        condition = None if classes is None else classes.repeat_interleave(self.columns, 0)
        return loaded.draw(loaded.generate(z, classes=condition), self.columns)
