"""How evenly do images change along a path between two latents?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.metrics.metric import Asking
from genlab.metrics.trained import Trained, evaluating
from genlab.types import Count, Positive, ProperShare

if TYPE_CHECKING:
    from torch import nn

    from genlab.metrics.reference import Reference


class PathLength(Asking):
    """`ppl_features`, perceptual path length in z: Karras et al. 2019 (StyleGAN), eq. 2; lower is smoother.

    The distance is the squared one in the extractor's features, not LPIPS: do not compare with published numbers. As
    in the paper's code the lowest and the highest 1 % are left out, and images are not rounded to 8 bit, in which so
    small a step would be lost. Latents are joined by their law's own path, spherical for normal ones, straight for
    uniform ones; a conditional model is asked for the same at both ends.
    """

    uses_extractor = True

    def __init__(
        self,
        paths: Count = 10_000,  # the paper: 100,000
        *,
        epsilon: Positive = 1e-4,  # step along a path from 0 to 1
        discard: ProperShare = 0.01,  # of the distances at either end
    ) -> None:
        self.paths, self.epsilon, self.discard = paths, epsilon, discard

    @property
    def settings(self) -> str:
        path = self.source.trained.model.latent.path
        return (
            f"squared distance of features, not LPIPS; {self.paths:,} paths in z, {path}; epsilon {self.epsilon:g}; "
            f"without {self.discard:.0%} at either end"
        )

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        if not reference.data.spec.height:
            return "it measures images, and the data are points"
        latent = getattr(getattr(trained, "model", None), "latent", None)
        if not hasattr(latent, "path"):
            return f"no path joins two latents of this law, {latent}: it needs normal or uniform ones"
        if rounds(reference):
            return f"{reference.extractor.name} rounds images to 8 bit, in which a step of {self.epsilon:g} is lost"
        return None

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if any image was not finite."""
        with evaluating(self.source.trained) as generator:
            found = torch.cat(list(self.distances(reference, generator)))[: self.paths]
        if not found.isfinite().all():
            return {"ppl_features": math.nan}
        low, high = found.quantile(torch.tensor([self.discard, 1 - self.discard], dtype=found.dtype))
        return {"ppl_features": found[(found >= low) & (found <= high)].mean().item() / self.epsilon**2}

    def distances(self, reference: Reference, generator: nn.Module) -> Iterator[Tensor]:
        """Of some paths at a time, float64 on the CPU."""
        trained = self.source.trained
        rows = trained.fixed_draws(0).batch
        for chunk in range(-(-self.paths // rows)):
            draws, law = trained.fixed_draws(chunk), trained.model.latent
            ends = [law.draw(draws.of(name)).double() for name in ("first end", "other end")]
            at = draws.uniform("place on path", 1).double()
            steps = [law.between(*ends, place).to(draws.dtype) for place in (at, at + self.epsilon)]
            condition = trained.sample_conditions(chunk * rows, rows)
            for start in range(0, rows, reference.batch_size):
                part = slice(start, start + reference.batch_size)
                told = None if condition is None else condition[part]
                first, other = (self.features(reference, generator(z[part], told)) for z in steps)
                yield (first - other).square().sum(1)

    def features(self, reference: Reference, output: Tensor) -> Tensor:
        images = reference.data.spec.crop(self.source.trained.render(output)).clamp(-1, 1)
        return reference.extractor(images).double().cpu()


def rounds(reference: Reference) -> bool:
    """Whether an eighth of a grey level changes nothing in the extractor's features."""
    spec = reference.data.spec
    images = torch.linspace(-0.9, 0.9, math.prod(spec.shape)).view(1, *spec.shape)
    images = spec.crop((images * 127.5 + 127.5).round() / 127.5 - 1)
    return torch.equal(reference.extractor(images), reference.extractor(images + 1e-3))
