"""Perceptual path length: how evenly do images change along a path between two latents?"""

import math
from collections.abc import Iterator
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from genlab.core.pixels import as_saved
from genlab.core.random import Draws
from genlab.core.types import Amount, Positive, ProperShare
from genlab.metrics.metric import SourceMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel, evaluation_mode
from genlab.models.contract import StyleBased
from genlab.models.latent_contract import InterpolatesWithinLaw


class PathLength(SourceMetric):
    """`ppl_features`, perceptual path length in z: Karras et al. 2019 (StyleGAN), section 4.1; lower is smoother.

    `ppl_features_w` is the length in w, along straight lines, where style-based generators should be smooth (equation
    3); `ppl_features_end` and `ppl_features_w_end` measure at the beginning of paths alone.

    The distance is the squared one in the extractor's features, not LPIPS: do not compare with published numbers. As in
    the paper's code the lowest and the highest 1 % are left out, and images are not rounded to 8 bit, which would lose
    so small a step. Paths are spherical for normal latents, straight for uniform ones. Both ends of a path have the
    same condition, and all images the same noise.
    """

    uses_split = False
    uses_extractor = True

    def __init__(
        self,
        paths: Amount = 10_000,  # the paper: 100,000
        *,
        epsilon: Positive = 1e-4,  # step along a path from 0 to 1
        discard: ProperShare = 0.01,  # of the distances at either end
        space: Literal["z", "w"] = "z",
        sampling: Literal["full", "end"] = "full",  # places on a path
    ) -> None:
        self.paths, self.epsilon, self.discard = paths, epsilon, discard
        self.space, self.sampling = space, sampling

    @property
    def numbers(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def name(self) -> str:
        return "ppl_features" + "_w" * (self.space == "w") + "_end" * (self.sampling == "end")

    @property
    def settings(self) -> str:
        places = "; at their beginning" if self.sampling == "end" else ""
        return (
            f"squared distance of features, not LPIPS; {self.paths:,} paths in {self.space}{places}; "
            f"epsilon {self.epsilon:g}; without {self.discard:.0%} at either end"
        )

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        if not reference.data.spec.height:
            return "it measures images, and the data are points"
        unmoved = self.no_path_reason(trained)
        if unmoved:
            return unmoved
        if rounds_to_8_bit(reference):
            return f"{reference.extractor.name} rounds images to 8 bit, in which a step of {self.epsilon:g} is lost"
        return None

    def no_path_reason(self, trained: TrainedModel | None) -> str | None:
        """Return why the model has no paths; None if it has."""
        if self.space == "w":
            styled = trained is not None and isinstance(trained.model.generator, StyleBased)
            return None if styled else "only style-based generators have a w: measure in z, with metrics=ppl"
        latent = None if trained is None else trained.model.latent
        if not isinstance(latent, InterpolatesWithinLaw):
            return f"no path joins two latents of this law, {latent}: it needs normal or uniform ones"
        return None

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the mean length; nan if any image is not finite."""
        with evaluation_mode(self.source.trained) as generator:
            found = torch.cat(list(self.distances(reference, generator)))[: self.paths]
        return {self.name: self.mean_length(found)}

    def mean_length(self, squares: Tensor) -> float:
        """Return the mean of squared distances [N] over epsilon^2, without the extremes, as the paper's code has it."""
        if not squares.isfinite().all():
            return math.nan
        low = squares.quantile(self.discard, interpolation="lower")
        high = squares.quantile(1 - self.discard, interpolation="higher")
        return squares[(squares >= low) & (squares <= high)].mean().item() / self.epsilon**2

    def distances(self, reference: Reference, generator: nn.Module) -> Iterator[Tensor]:
        """Yield the squared distances of some paths at a time, float64 on the CPU."""
        trained = self.source.trained
        rows = trained.fixed_draws(0).batch
        show = partial(synthesise, generator) if self.space == "w" else generator
        for chunk in range(-(-self.paths // rows)):
            condition = trained.sample_conditions(chunk * rows, rows)
            ends = self.step_ends(generator, trained.fixed_draws(chunk), condition)
            for start in range(0, rows, reference.batch_size):
                part = slice(start, start + reference.batch_size)
                rows_condition = None if condition is None else condition[part]
                first, other = (self.features(reference, show(place[part], rows_condition)) for place in ends)
                yield (first - other).square().sum(1)

    def step_ends(self, generator: nn.Module, draws: Draws, condition: Tensor | None) -> list[Tensor]:
        """Return the two ends of a step of `epsilon` on each path: latents or styles w, [N, D] each."""
        law = self.source.trained.model.latent
        ends, between = [law.draw(draws.of(name)) for name in ("first end", "other end")], torch.lerp
        if self.space == "w":
            ends = [generator.map_latents(end, condition) for end in ends]
        else:
            between = law.interpolate
        at = draws.uniform("place on path", 1).double() * (self.sampling == "full")
        first, other = (end.double() for end in ends)
        return [between(first, other, place).to(draws.dtype) for place in (at, at + self.epsilon)]

    def features(self, reference: Reference, output: Tensor) -> Tensor:
        images = reference.data.spec.crop(self.source.trained.render(output)).clamp(-1, 1)
        return reference.extractor(images).double().cpu()


def synthesise(generator: nn.Module, w: Tensor, _: Tensor | None) -> Tensor:
    """Synthesise from styles w, which contain the condition."""
    return generator.synthesis(generator.spread(w))


def rounds_to_8_bit(reference: Reference) -> bool:
    """Tell whether an eighth of a grey level changes nothing in the extractor's features."""
    spec = reference.data.spec
    images = torch.linspace(-0.9, 0.9, math.prod(spec.shape)).view(1, *spec.shape)
    images = spec.crop(as_saved(images))
    return torch.equal(reference.extractor(images), reference.extractor(images + 1e-3))
