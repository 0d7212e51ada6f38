"""Films of paths through latents or styles."""

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor

from genlab.core.types import Amount, Count, Side
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Film, Request

Between = Callable[[Tensor, Tensor, float], Tensor]  # (from, to, share); extrapolates too


class Walk(Film):
    """Film smooth loops through samples, side by side; a PNG shows each loop as a row.

    Styles move on cubic splines, latents on the same splines built from arcs, or from lines if they are uniform. The
    path has no corner at a sample, but leaves the cube of uniform latents by up to an eighth. Raises ConfigError for
    latents that cannot be interpolated, and for `space: w` where the generator has no styles.
    """

    def __init__(
        self,
        *,
        rows: Side = 2,
        columns: Side = 4,  # a film shows rows x columns loops; a PNG this many pictures of each
        stops: Side = 6,  # samples on a loop
        steps: Amount = 24,  # frames from one to the next
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

    def ignored_arguments(self, suffix: str) -> tuple[str, ...]:
        return ("steps", "rate") if suffix == ".png" else ()

    def frames(self, loaded: Loaded, request: Request) -> Iterator[Tensor]:
        images_at = self.spline_images(loaded, request, self.rows * self.columns)
        for frame in range(self.stops * self.steps):
            yield loaded.draw(images_at(frame / self.steps), self.columns)

    def strips(self, loaded: Loaded, request: Request) -> Tensor:
        images_at = self.spline_images(loaded, request, self.rows)
        columns = [images_at(self.stops * column / self.columns) for column in range(self.columns)]
        return loaded.draw(torch.stack(columns, 1).flatten(0, 1), self.columns)

    def spline_images(self, loaded: Loaded, request: Request, count: int) -> Callable[[float], Tensor]:
        """Return a function from a place on the loops, whole numbers at the stops, to images [count, C, H, W]."""
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
    """Return the point [...] at a place from 0 to K on a closed curve through stops [K, ...].

    Catmull and Rom's spline as nested interpolations, which may be arcs: Schlag 1991, "Using geometric constructions
    to interpolate orientation with quaternions".
    """
    start, share = divmod(place, 1)
    before, first, second, after = (stops[(int(start) + offset) % len(stops)] for offset in (-1, 0, 1, 2))
    middle = between(first, second, share)
    early = between(between(before, first, share + 1), middle, (share + 1) / 2)
    late = between(middle, between(second, after, share - 1), share / 2)
    return between(early, late, share)


class Interpolate(Film):
    """Film paths through the latents, side by side, as a GIF or MP4 that ends where it began.

    A PNG shows each path as a row, from its first latent to its second. Normal latents are interpolated on an arc,
    uniform ones on a line. Raises ConfigError for latents that cannot be interpolated.
    """

    def __init__(
        self,
        *,
        rows: Side = 4,
        columns: Side = 8,  # a film shows rows x columns paths; a PNG this many pictures of each
        stops: Side = 4,  # latents on a path
        steps: Amount = 16,  # frames from one to the next
        rate: Count = 20,  # frames a second
    ) -> None:
        super().__init__(rate)
        self.rows, self.columns, self.stops, self.steps = rows, columns, stops, steps

    def ignored_arguments(self, suffix: str) -> tuple[str, ...]:
        return ("stops", "steps", "rate") if suffix == ".png" else ()

    def frames(self, loaded: Loaded, request: Request) -> Iterator[Tensor]:
        for z in self.positions(loaded, request):
            yield loaded.draw(loaded.generate(z, classes=request.classes), self.columns)

    def positions(self, loaded: Loaded, request: Request) -> Iterator[Tensor]:
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
