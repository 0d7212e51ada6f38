"""Adam on latents: Zhu et al. 2016, section 3.1, and Karras et al. 2020, appendix D, without its noise maps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.projecting.laws import Law

ROWS = 64  # latents that move at a time


class Found(NamedTuple):
    """The best of all rows."""

    row: int
    z: Tensor  # [1, ...]
    way: Tensor  # images [snapshots, C, H, W], the first of the start, the last of z
    loss: float  # without the prior


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Minimises `error(images)` + `prior` x the law's own term over z, each row for itself."""

    generate: Callable[[Tensor, Tensor | None], Tensor]  # (z, condition) -> images
    error: Callable[[Tensor], Tensor]  # images [N, C, H, W] -> [N]
    law: Law
    steps: int = 500
    lr: float = 0.05  # at the start; it falls to 0 along a cosine
    prior: float = 0.001
    snapshots: int = 8

    def __call__(self, starts: Tensor, condition: Tensor | None = None) -> Found:
        """Starts [N, size], condition [N, ...] or None."""
        pieces = []
        for first in range(0, len(starts), ROWS):
            rows = slice(first, first + ROWS)
            found = self.descend(starts[rows], None if condition is None else condition[rows])
            pieces.append(found._replace(row=first + found.row))
        return min(pieces, key=lambda found: found.loss if math.isfinite(found.loss) else math.inf)

    def descend(self, starts: Tensor, condition: Tensor | None) -> Found:
        z = starts.clone().requires_grad_()
        optimizer = torch.optim.Adam([z], lr=self.lr)
        way, wanted = [], self.moments()
        for step in range(self.steps + 1):
            optimizer.param_groups[0]["lr"] = self.lr * (1 + math.cos(math.pi * step / self.steps)) / 2
            images = self.generate(z, condition)
            error = self.error(images)
            if step in wanted:
                way.append(images.detach())
            if step < self.steps:
                self.step(z, starts, error, optimizer)
        best = int(error.nan_to_num(math.inf).argmin())
        return Found(best, z.detach()[best : best + 1], torch.stack(way)[:, best], float(error.detach()[best]))

    def step(self, z: Tensor, starts: Tensor, error: Tensor, optimizer: torch.optim.Optimizer) -> None:
        (z.grad,) = torch.autograd.grad((error + self.prior * self.law.prior(z)).sum(), z)
        optimizer.step()
        with torch.no_grad():
            self.law.hold(z, starts)

    def moments(self) -> set[int]:
        """Steps that are shown, closer together at the start, where most happens."""
        shares = [index / (self.snapshots - 1) for index in range(self.snapshots)]
        return {round(self.steps * share**2) for share in shares}
