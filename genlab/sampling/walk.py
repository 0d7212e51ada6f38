"""A walk through the latents that returns to where it began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from genlab.core.types import Count
from genlab.sampling.mode import Film, Request

if TYPE_CHECKING:
    from genlab.sampling.loaded_run import Loaded

Between = Callable[[Tensor, Tensor, float], Tensor]  # (from, to, share), beyond both ends as well


class Walk(Film):
    """Smooth loops through samples, side by side; of a PNG every loop is a row.

    Styles move on cubic splines, latents on what arcs, or lines where latents are uniform, make of these: without a
    corner at a sample, at the cost of leaving the cube of uniform latents by up to an eighth. Raises ConfigError for
    latents that nothing lies between, and for styles where the generator has none.
    """

    def __init__(
        self,
        *,
        rows: Count = 2,
        columns: Count = 4,  # loops are rows x columns; of a PNG its pictures a row
        stops: Count = 6,  # samples that a loop visits
        steps: Count = 24,  # frames from one to the next
        rate: Count = 24,  # frames a second
        space: Literal["z", "w"] | None = None,  # null: w where the generator has styles
        truncation: float | None = None,  # psi
    ) -> None:
        super().__init__(rate)
        self.rows, self.columns, self.stops, self.steps = rows, columns, stops, steps
        self.space, self.truncation = space, truncation

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        if self.space == "w":
            loaded.require_styles("mode.space=w")
        if self.truncation is not None:
            loaded.require_styles(f"mode.truncation={self.truncation}")

    def frames(self, loaded: Loaded, request: Request) -> Iterator[Tensor]:
        place = self.spline_images(loaded, request, self.rows * self.columns)
        for frame in range(self.stops * self.steps):
            yield loaded.draw(place(frame / self.steps), self.columns)

    def strips(self, loaded: Loaded, request: Request) -> Tensor:
        place = self.spline_images(loaded, request, self.rows)
        columns = [place(self.stops * column / self.columns) for column in range(self.columns)]
        return loaded.draw(torch.stack(columns, 1).flatten(0, 1), self.columns)

    def spline_images(self, loaded: Loaded, request: Request, count: int) -> Callable[[float], Tensor]:
        """(place, whole numbers at the stops) -> images [count, C, H, W]."""
        z = loaded.latent(count * self.stops, seed=request.seed)
        condition = loaded.conditions_of(range(count), **request.options)
        if self.space == "z" or not loaded.has_styles:
            stops, between = z.unflatten(0, (self.stops, count)), loaded.run.model.latent.interpolate
            psi = self.truncation
            return lambda place: loaded.generate(spline_point(stops, between, place), classes=condition, truncation=psi)
        condition = None if condition is None else condition.repeat(self.stops, *[1] * (condition.ndim - 1))
        styles = loaded.styles(z, classes=condition, truncation=self.truncation).unflatten(0, (self.stops, count))
        return lambda place: loaded.synthesise(spline_point(styles, torch.lerp, place))


def spline_point(stops: Tensor, between: Between, place: float) -> Tensor:
    """Where a closed curve through stops [K, ...] is at a place from 0 to K: [...].

    Catmull and Rom's spline as nested steps from one point to another, which may be arcs: Schlag 1991, "Using
    geometric constructions to interpolate orientation with quaternions".
    """
    start, share = divmod(place, 1)
    before, first, second, after = (stops[(int(start) + offset) % len(stops)] for offset in (-1, 0, 1, 2))
    middle = between(first, second, share)
    early = between(between(before, first, share + 1), middle, (share + 1) / 2)
    late = between(middle, between(second, after, share - 1), share / 2)
    return between(early, late, share)
