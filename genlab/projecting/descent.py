"""Search for the latent of an image from several starts: Adam (Zhu et al. 2016, section 3.1; Karras et al. 2020,
appendix D, without its noise maps), then L-BFGS (Liu and Nocedal 1989) from the best result."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.models.latent_contract import Latent, Searchable

LATENTS_AT_ONCE = 64  # latents optimised at a time
ERROR_FLOOR = 1e-8  # added before the logarithm; below the error of rounding to 8 bit
HISTORY = 50  # steps that L-BFGS remembers


class Projection(NamedTuple):
    """The latent with the least error of all rows."""

    row: int
    z: Tensor  # [1, ...]
    frames: Tensor  # images [snapshots, C, H, W]: the start first, z last
    loss: float  # the error without the prior


@dataclass(frozen=True, kw_only=True)
class LatentSearch:
    """Minimises log `error(images)` + `prior` x the law's prior over z, for each row on its own.

    With a mean squared error over D pixels, and normal noise of the likeliest variance, -log p(image | z) is D / 2
    times that logarithm, and -log p(z) half the sum of z^2, so `prior` = latents / D gives the likeliest z. The prior
    counts most where the image cannot be reached.
    """

    generate: Callable[[Tensor, Tensor | None], Tensor]  # (z, condition) -> images
    error: Callable[[Tensor], Tensor]  # images [N, C, H, W] -> [N]
    law: Searchable
    steps: int = 300
    lr: float = 0.1  # at the start; decays to 0 along a cosine
    polish: int = 100  # iterations of L-BFGS
    prior: float = 0.1
    snapshots: int = 8

    def __call__(self, starts: Tensor, condition: Tensor | None = None) -> Projection:
        """Return the best projection from starts [N, size], with condition [N, ...] or None."""
        pieces = []
        for first in range(0, len(starts), LATENTS_AT_ONCE):
            best = self.descend(*take_rows(first, starts, condition))
            pieces.append(best._replace(row=first + best.row))
        best = min(pieces, key=lambda piece: piece.loss if math.isfinite(piece.loss) else math.inf)
        return self.refine(best, *take_rows(best.row, starts, condition, 1)) if self.polish else best

    @torch.no_grad()
    def nearest_starts(self, starts: Tensor, condition: Tensor | None, groups: int, count: int) -> Tensor:
        """Return the rows [groups x count] with the least error, `count` in each of `groups` equal groups of starts."""
        pieces = [take_rows(first, starts, condition) for first in range(0, len(starts), LATENTS_AT_ONCE)]
        errors = torch.cat([self.error(self.generate(*piece)) for piece in pieces]).nan_to_num(math.inf)
        within = errors.view(groups, -1).argsort(1)[:, :count]
        return (within + len(starts) // groups * torch.arange(groups, device=within.device)[:, None]).flatten()

    def descend(self, starts: Tensor, condition: Tensor | None) -> Projection:
        z = starts.clone().requires_grad_()
        optimizer = torch.optim.Adam([z], lr=self.lr)
        frames, wanted = [], self.snapshot_steps()
        for step in range(self.steps + 1):
            optimizer.param_groups[0]["lr"] = self.lr * (1 + math.cos(math.pi * step / self.steps)) / 2
            images, error, objective = self.evaluate_rows(z, starts, condition)
            if step in wanted:
                frames.append(images.detach())
            if step < self.steps:  # times the error: else steps would grow as the error vanishes
                (z.grad,) = torch.autograd.grad((objective * error.detach()).sum(), z)
                optimizer.step()
        best = int(error.nan_to_num(math.inf).argmin())
        latents = self.law.keep_within(z.detach(), starts)
        return Projection(best, latents[best : best + 1], torch.stack(frames)[:, best], float(error.detach()[best]))

    def refine(self, found: Projection, start: Tensor, condition: Tensor | None) -> Projection:
        """Continue by L-BFGS from where Adam ended; return `found` itself if the result is no better."""
        z = found.z.clone().requires_grad_()
        optimizer = torch.optim.LBFGS([z], max_iter=self.polish, history_size=HISTORY, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            _, _, objective = self.evaluate_rows(z, start, condition)
            (z.grad,) = torch.autograd.grad(objective.sum(), z)
            return objective.sum().detach()

        optimizer.step(closure)
        with torch.no_grad():
            images, error, _ = self.evaluate_rows(z, start, condition)
        if not float(error) < found.loss:
            return found
        frames = torch.cat([found.frames[:-1], images])
        return Projection(found.row, self.law.keep_within(z.detach(), start), frames, float(error))

    def evaluate_rows(self, z: Tensor, start: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return images, their error [N], and the objective [N]."""
        latents = self.law.keep_within(z, start)
        images = self.generate(latents, condition)
        error = self.error(images)
        return images, error, (error + ERROR_FLOOR).log() + self.prior * self.law.prior_penalty(latents)

    def snapshot_steps(self) -> set[int]:
        """Return the steps to take snapshots at, closer together at the start, where most happens."""
        shares = [index / (self.snapshots - 1) for index in range(self.snapshots)]
        return {round(self.steps * share**2) for share in shares}


def take_rows(
    first: int, starts: Tensor, condition: Tensor | None, count: int = LATENTS_AT_ONCE
) -> tuple[Tensor, Tensor | None]:
    rows = slice(first, first + count)
    return starts[rows], None if condition is None else condition[rows]


def require_searchable(latent: Latent) -> Searchable:
    """Return the latent. Raises ConfigError for one that cannot move by small steps."""
    if not isinstance(latent, Searchable):
        raise ConfigError(
            f"run: latents are {type(latent).__name__}, which no gradient reaches. Choose a run whose latents are "
            "normal or uniform; a model with an encoder needs no search: python -m genlab.sample mode=reconstruct."
        )
    return latent


def refuse_ignored_prior(prior: float | None, law: Searchable, starts: Tensor) -> None:
    """Raise ConfigError for a weight of the prior where all latents within the law are equally likely."""
    if prior and not law.prior_penalty(starts).any():
        raise ConfigError(
            f"prior={prior}: has no effect, as all latents of this model are equally likely within their bounds. "
            "Leave it out."
        )
