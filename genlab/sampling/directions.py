"""Directions in which samples change, found without a label or a gradient."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.types import Count, Positive, Whole
from genlab.models.latent_contract import is_plain_vector
from genlab.sampling.affine import affines
from genlab.sampling.conditions import conditions
from genlab.sampling.mode import Asked, Picture

if TYPE_CHECKING:
    from genlab.sampling.loaded_run import Loaded

SPREAD = 5_000  # latents that deviations are taken over
log = logging.getLogger(__name__)


class Directions(Picture):
    """A row a direction, the strongest first; a column a step along it, with the sample itself in the middle.

    `factorisation`: eigenvectors of A'A, where A stacks the matrices that styles are multiplied with: Shen and Zhou
    2021 (SeFa). Of a generator without styles A is its first layer, and the directions are of z.
    `components`: the principal components of w: Haerkoenen et al. 2020 (GANSpace).

    A step is a multiple of the deviation that styles, or latents, have along the direction.

    Raises ConfigError for components of z, which have no order, and for a generator whose first layer is not fed z.
    """

    def __init__(
        self,
        *,
        method: Literal["factorisation", "components"] = "factorisation",
        rows: Count = 8,  # directions
        columns: Count = 7,  # steps, from -reach to reach
        reach: Positive = 3.0,  # deviations
        layers: Sequence[Whole] | None = None,  # those whose styles move, and are factorised; null: all
        truncation: float | None = None,  # psi of the sample
    ) -> None:
        self.method, self.rows, self.columns, self.reach = method, rows, columns, reach
        self.layers, self.truncation = layers, truncation

    def check(self, loaded: Loaded, asked: Asked) -> None:
        super().check(loaded, asked)
        latent = loaded.run.model.latent
        if not (is_plain_vector(latent, loaded.latent(1)) and latent.size):
            raise ConfigError("mode=directions: this model's latents are no vectors of numbers: there is no direction.")
        for name in ("layers", "truncation"):
            if getattr(self, name) is not None:
                loaded.require_styles(f"mode.{name}={getattr(self, name)}")
        if self.method == "components":
            loaded.require_styles("mode.method=components")

    def draw(self, loaded: Loaded, asked: Asked) -> Tensor:
        told = loaded.told([0], **asked.options)
        z = loaded.latent(1, seed=asked.seed)
        start = loaded.styles(z, classes=told, truncation=self.truncation)[0] if loaded.styled else z
        moving = self.moving(len(start)).to(start)
        directions = self.found(loaded, moving)[: self.rows]
        steps = torch.linspace(-self.reach, self.reach, self.columns).to(start)
        moved = start + moving[:, None] * steps[:, None, None] * directions[:, None, None]  # [rows, columns, L, D]
        moved = moved.flatten(0, 1)
        same = None if told is None else told.expand(len(moved), *told.shape[1:])
        images = loaded.synthesise(moved) if loaded.styled else loaded.generate(moved[:, 0], classes=same)
        return loaded.draw(images, self.columns)

    def moving(self, count: int) -> Tensor:
        """[layers]: 1 for those that move, else 0."""
        chosen = range(count) if self.layers is None else self.layers
        if not chosen or max(chosen) >= count:
            raise ConfigError(f"mode.layers={list(chosen)}: this generator has layers 0 to {count - 1}; name some.")
        return torch.zeros(count).index_fill(0, torch.tensor(list(chosen)), 1.0)

    def found(self, loaded: Loaded, moving: Tensor) -> Tensor:
        """[D, D], the strongest first, each as long as the deviation along it."""
        z = loaded.latent(SPREAD)
        vectors = torch.cat([loaded.styles(part)[:, 0] for part in z.split(500)]) if loaded.styled else z
        vectors = vectors.double() - vectors.double().mean(0)
        if self.method == "components":
            strengths, directions = strongest(vectors)
        else:
            strengths, directions = strongest(matrix_of(loaded, moving))
        log.info("strength of each row: %s", ", ".join(f"{share:.1%}" for share in strengths[: self.rows]))
        deviations = (vectors @ directions.T).square().mean(0).sqrt()
        return (directions * deviations[:, None]).to(z)


def strongest(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """[M, D] -> shares [D] of the sum of all eigenvalues of its square, and eigenvectors [D, D], a row each.

    Each points to where its largest number is positive.
    """
    values, vectors = torch.linalg.eigh(matrix.T @ matrix)
    values, vectors = values.flip(0).clamp(min=0), vectors.T.flip(0)
    sign = vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()
    return values / values.sum(), vectors * sign


def matrix_of(loaded: Loaded, moving: Tensor) -> Tensor:
    """[outputs of all layers that move, D], in float64."""
    size = loaded.latent(1).shape[1]
    with loaded.run.sampling() as generator:
        if loaded.styled:
            marks = marked(generator.layers, generator.style_size, moving)
            found = affines(generator, lambda styles: generator.synthesis(styles[None]), marks)
        else:
            told = conditions(loaded.run, 0, 1, None)
            found = affines(generator, lambda z: generator(z, told), marked(1, size, moving))
    matrices = [affine.matrix for affine in found if moving[affine.number]]
    if not matrices:
        raise ConfigError(
            f"mode=directions: no layer of this generator ({loaded.run.run_dir}) takes the whole latent, or style, "
            "as it is: there is nothing to factorise."
        )
    return torch.cat(matrices).double()


def marked(count: int, size: int, like: Tensor) -> Tensor:
    """[count, size], all different, and with a mean square of 1: what normalises latents leaves them."""
    source = torch.Generator().manual_seed(0)
    marks = torch.randn(count, size, generator=source)
    return (marks / marks.square().mean(1, keepdim=True).sqrt()).to(like)
