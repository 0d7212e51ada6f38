"""The contract of latents: the laws that z is drawn from, and what some of them offer beside being drawn.

As in `genlab.models.contract`: generic code asks with `isinstance`, a law need not derive from anything. Shapes: N
latents of L numbers.
"""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from torch import Tensor

from genlab.core.random import Draws


@runtime_checkable
class Latent(Protocol):
    """The law that latents are drawn from."""

    def draw(self, draws: Draws) -> Tensor:
        """Draw a latent for each row: [N, L], or indices int64 [N, h, w] of codes."""


@runtime_checkable
class VectorLatent(Latent, Protocol):
    """A latent of `size` numbers, 0 for none; a mixture adds the number of the generator in a last column."""

    size: int


@runtime_checkable
class Interpolates(Protocol):
    """A latent with something between two draws."""

    def interpolate(self, a: Tensor, b: Tensor, share: Tensor | float) -> Tensor:
        """Go from latents a [N, L], at share 0, to b, at share 1; shares are one number or [N, 1]."""


@runtime_checkable
class InterpolatesWithinLaw(Interpolates, Protocol):
    """A latent whose interpolated rows look like drawn ones, so that path lengths can be measured."""

    path: str  # the name of the way: slerp or lerp


@runtime_checkable
class Truncates(Protocol):
    """A latent that can be drawn closer to its mean, for likelier and more alike images."""

    def truncate(self, threshold: float) -> Latent:
        """Return the law within +-threshold."""


@runtime_checkable
class Searchable(Protocol):
    """A latent that gradient descent can move while it stays within its law."""

    def prior_penalty(self, z: Tensor) -> Tensor:
        """Return how unlikely latents [N, L] are: [N], added to a loss with a weight."""

    def keep_within(self, z: Tensor, start: Tensor) -> Tensor:
        """Bring moved latents [N, L] back into the law; `start` [N, L] is what they were drawn as."""


@runtime_checkable
class VariesCodes(Protocol):
    """A latent with codes whose effect can be shown one at a time."""

    def vary(self, z: Tensor, columns: int = 10, reach: float = 2.0) -> Iterator[tuple[str, Tensor]]:
        """Yield each code's name and [N, columns, L]: every z with that code running from -reach to reach."""


def is_plain_vector(latent: Latent, z: Tensor) -> bool:
    """Return whether drawn latents z are vectors of real numbers alone, which can be added and scaled."""
    return isinstance(latent, VectorLatent) and z.is_floating_point() and z.shape[1:] == (latent.size,)
