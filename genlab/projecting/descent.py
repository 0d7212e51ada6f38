"""The latent of an image: Adam from several starts (Zhu et al. 2016, section 3.1; Karras et al. 2020, appendix D,
without its noise maps), and from the best of their ends L-BFGS (Liu and Nocedal 1989)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.models.latent_contract import Latent, Searchable

ROWS = 64  # latents that move at a time
FLOOR = 1e-8  # of an error, below that of 8 bit; its logarithm is taken
MEMORY = 50  # steps that L-BFGS knows


class Found(NamedTuple):
    """The best of all rows."""

    row: int
    z: Tensor  # [1, ...]
    way: Tensor  # images [snapshots, C, H, W], the first of the start, the last of z
    loss: float  # the error, without the prior


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Minimises log `error(images)` + `prior` x the law's own term over z, each row for itself.

    Of a mean squared error over D pixels and normal noise of the likeliest variance, -log p(image | z) is D / 2 times
    the logarithm, and -log p(z) half the sum of z^2: so `prior` = latents / D gives the likeliest z. It holds z where
    the image cannot be reached, and lets go where it can.
    """

    generate: Callable[[Tensor, Tensor | None], Tensor]  # (z, condition) -> images
    error: Callable[[Tensor], Tensor]  # images [N, C, H, W] -> [N]
    law: Searchable
    steps: int = 300
    lr: float = 0.1  # at the start; it falls to 0 along a cosine
    polish: int = 100  # iterations of L-BFGS
    prior: float = 0.1
    snapshots: int = 8

    def __call__(self, starts: Tensor, condition: Tensor | None = None) -> Found:
        """Starts [N, size], condition [N, ...] or None."""
        pieces = []
        for first in range(0, len(starts), ROWS):
            found = self.descend(*part(first, starts, condition))
            pieces.append(found._replace(row=first + found.row))
        best = min(pieces, key=lambda found: found.loss if math.isfinite(found.loss) else math.inf)
        return self.polished(best, *part(best.row, starts, condition, 1)) if self.polish else best

    @torch.no_grad()
    def nearest(self, starts: Tensor, condition: Tensor | None, groups: int, count: int) -> Tensor:
        """Rows [groups x count] of the starts with the least error, `count` of each of so many equal groups."""
        pieces = [part(first, starts, condition) for first in range(0, len(starts), ROWS)]
        errors = torch.cat([self.error(self.generate(*piece)) for piece in pieces]).nan_to_num(math.inf)
        within = errors.view(groups, -1).argsort(1)[:, :count]
        return (within + len(starts) // groups * torch.arange(groups, device=within.device)[:, None]).flatten()

    def descend(self, starts: Tensor, condition: Tensor | None) -> Found:
        z = starts.clone().requires_grad_()
        optimizer = torch.optim.Adam([z], lr=self.lr)
        way, wanted = [], self.moments()
        for step in range(self.steps + 1):
            optimizer.param_groups[0]["lr"] = self.lr * (1 + math.cos(math.pi * step / self.steps)) / 2
            images, error, objective = self.look(z, starts, condition)
            if step in wanted:
                way.append(images.detach())
            if step < self.steps:  # by its error, or Adam would take ever larger steps for a vanishing one
                (z.grad,) = torch.autograd.grad((objective * error.detach()).sum(), z)
                optimizer.step()
        best = int(error.nan_to_num(math.inf).argmin())
        held = self.law.keep_within(z.detach(), starts)
        return Found(best, held[best : best + 1], torch.stack(way)[:, best], float(error.detach()[best]))

    def polished(self, found: Found, start: Tensor, condition: Tensor | None) -> Found:
        """From where Adam ended; that place again if nothing is better."""
        z = found.z.clone().requires_grad_()
        optimizer = torch.optim.LBFGS([z], max_iter=self.polish, history_size=MEMORY, line_search_fn="strong_wolfe")

        def closure() -> Tensor:
            _, _, objective = self.look(z, start, condition)
            (z.grad,) = torch.autograd.grad(objective.sum(), z)
            return objective.sum().detach()

        optimizer.step(closure)
        with torch.no_grad():
            images, error, _ = self.look(z, start, condition)
        if not float(error) < found.loss:
            return found
        way = torch.cat([found.way[:-1], images])
        return Found(found.row, self.law.keep_within(z.detach(), start), way, float(error))

    def look(self, z: Tensor, start: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Images, their error [N], and what is minimised [N]."""
        held = self.law.keep_within(z, start)
        images = self.generate(held, condition)
        error = self.error(images)
        return images, error, (error + FLOOR).log() + self.prior * self.law.prior_penalty(held)

    def moments(self) -> set[int]:
        """Steps that are shown, closer together at the start, where most happens."""
        shares = [index / (self.snapshots - 1) for index in range(self.snapshots)]
        return {round(self.steps * share**2) for share in shares}


def part(first: int, starts: Tensor, condition: Tensor | None, count: int = ROWS) -> tuple[Tensor, Tensor | None]:
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
