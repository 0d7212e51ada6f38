"""Equivariance: does the image move as the generator's input does? Karras et al. 2021 (StyleGAN3), eq. 3, app. E."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from genlab.core.types import Amount
from genlab.metrics.metric import SourceMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.image_motion import ExactRotation, Move, Rotation, Translation
from genlab.metrics.trained_model import TrainedModel, evaluation_mode
from genlab.models.contract import MovableInput

VALUE_RANGE = 2.0  # of images in [-1, 1]
MAX_DECIBELS = 140.0  # the precision of float32


class Equivariance(SourceMetric):
    """Peak signal-to-noise ratio, in decibels, between moved images and images of a moved input; higher is better.

    For generators with a `transform` [3, 3] of their input that can be set (`image_motion.Move`). Images are neither
    clamped nor rounded nor cropped.
    """

    uses_split = False
    higher_is_better = True
    smallest = 1  # pixels a side

    def __init__(
        self,
        images: Amount = 2_000,  # the paper: 50,000
        *,
        group: Amount = 20,  # of them that move alike
    ) -> None:
        self.images, self.group = images, group

    @property
    def settings(self) -> str:
        return f"{self.images:,} images, {self.group} moved alike"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        side = reference.data.spec.height
        if not side:
            return "it measures images, and the data are points"
        if trained is None or not isinstance(trained.model.generator, MovableInput):
            return "equivariance needs a generator whose input can be moved, as StyleGAN3's, and this one's cannot"
        if side < self.smallest:
            return f"filters reach beyond the edges of images of {side} pixels: it needs {self.smallest} a side"
        return None

    def moves(self, chances: list[float], side: int) -> dict[str, Move]:
        """Return the moves by the names of their numbers, from two chances, uniform in [0, 1)."""
        raise NotImplementedError

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the decibels; nan if any image is not finite."""
        squares, values = Counter(), Counter()
        with evaluation_mode(self.source.trained) as generator:
            for name, one, other in self.pairs(generator):
                squares[name] += (one - other).double().square().sum().item()
                values[name] += one.numel()
        return {name: decibels(squares[name] / values[name]) for name in squares}

    def pairs(self, generator: Any) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield (name, moved images, images of a moved input) of a group at a time."""
        for z, condition, chances in self.groups():
            plain = generator(z, condition)
            side, made = plain.shape[-1], {}  # moved images by their transform, which moves may share
            for name, move in self.moves(chances, side).items():
                transform = move.transform(side).to(plain)
                key = tuple(transform.flatten().tolist())
                if key not in made:
                    with transformed_input(generator, transform):
                        made[key] = generator(z, condition)
                yield name, *move.crop_to_overlap(plain, made[key])

    def groups(self) -> Iterator[tuple[Tensor, Tensor | None, list[float]]]:
        """Yield latents, conditions, and the two chances of a move, of a group at a time."""
        trained = self.source.trained
        rows = trained.fixed_draws(0).batch
        for first in range(0, self.images, rows):
            draws = trained.fixed_draws(first // rows)
            z, condition = trained.model.latent.draw(draws), trained.sample_conditions(first, rows)
            chances = draws.uniform("moves", 2).tolist()
            for start in range(0, min(rows, self.images - first), self.group):
                part = slice(start, min(start + self.group, self.images - first))
                yield z[part], None if condition is None else condition[part], chances[start]


class TranslationEquivariance(Equivariance):
    """`eq_t`, by whole pixels, and `eq_t_frac`, by fractions, which Lanczos' filter bounds at 40 to 50 dB.

    Translations reach up to an eighth of the side: appendix E.1 and E.2.
    """

    numbers = ("eq_t", "eq_t_frac")

    def moves(self, chances: list[float], side: int) -> dict[str, Move]:
        right, down = ((2 * chance - 1) * side / 8 for chance in chances)
        return {"eq_t": Translation(round(right), round(down)), "eq_t_frac": Translation(right, down)}


class RotationEquivariance(Equivariance):
    """`eq_r`, by any angle about the centre, as published (appendix E.3), and `eq_r_exact`, which has no aliasing.

    The published procedure bounds `eq_r` at about 40 dB: what it compares with is itself inexact (`Rotation`).
    `eq_r_exact` is some decibels higher on the same images, and compares with no published number.
    """

    numbers = ("eq_r", "eq_r_exact")
    smallest = 20  # pixels a side: filters reach over 7.2 of them on either side

    @property
    def settings(self) -> str:
        return f"{super().settings}; eq_r: turned as published"  # in records that lack the words it is exact

    def moves(self, chances: list[float], side: int) -> dict[str, Move]:
        angle = 2 * math.pi * chances[0]
        return {"eq_r": Rotation(angle), "eq_r_exact": ExactRotation(angle)}


@contextmanager
def transformed_input(generator: Any, transform: Tensor) -> Iterator[None]:
    before, generator.transform = generator.transform, transform
    try:
        yield
    finally:
        generator.transform = before


def decibels(square: float) -> float:
    if math.isnan(square):
        return math.nan
    return min(10 * math.log10(VALUE_RANGE**2 / max(square, 1e-30)), MAX_DECIBELS)
