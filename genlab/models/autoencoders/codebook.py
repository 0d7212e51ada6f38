"""A codebook that follows what it is asked to quantise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlab.core import distributed
from genlab.core.random import Draws
from genlab.models.contract import Quantised


class Codebook(nn.Module):
    """Latents [N, D, ...] -> the nearest of `number` codes, by Euclidean distance.

    Each code is the moving average of the latents that chose it: van den Oord et al. 2017, appendix A.1. A code that
    hardly any latent chooses is put where a latent of the last batch is (Dhariwal et al. 2020, section 3.1); at
    first that is all of them, so the first batch makes the codebook. These latents are of the turn's last micro-batch
    on the first rank: in that alone another number of ranks or micro-batches is another run.
    """

    def __init__(
        self,
        number: int,
        size: int,
        *,
        decay: float,  # a turn
        restart_below: float,  # of an equal use of all codes
    ) -> None:
        super().__init__()
        self.decay, self.restart_below = decay, restart_below
        self.register_buffer("entries", torch.randn(number, size))
        self.register_buffer("uses", torch.zeros(number))  # N of equation 6, averaged
        self.register_buffer("sums", torch.zeros(number, size))  # m of equation 7
        # Of the turn that is going on, over its micro-batches:
        self.register_buffer("new_uses", torch.zeros(number), persistent=False)
        self.register_buffer("new_sums", torch.zeros(number, size), persistent=False)
        self.register_buffer("candidates", torch.zeros(number, size), persistent=False)

    def forward(self, latents: Tensor) -> Quantised:
        with torch.autocast(latents.device.type, enabled=False):  # distances of half precision choose badly
            rows = latents.detach().movedim(1, -1).flatten(0, -2).to(self.entries.dtype)
            indices = self._nearest(rows)
            chosen = indices[:, None] == torch.arange(len(self.entries), device=rows.device)
            chosen = chosen.to(rows.dtype)  # one-hot [M, number]
            uses = chosen.sum(0)
            if self.training:
                self._note(rows, chosen, uses)
        shape = latents.movedim(1, -1).shape
        codes = self.entries[indices].view(shape).movedim(-1, 1)
        entropy = torch.special.entr(uses / len(rows)).sum(0, keepdim=True)
        used = uses.sign().sum(0, keepdim=True)
        return Quantised(latents, latents + (codes - latents).detach(), codes, entropy.exp(), used)

    def nearest(self, latents: Tensor) -> Tensor:
        """Indices [N, ...] of the codes of latents [N, D, ...]."""
        rows = latents.movedim(1, -1)
        return self._nearest(rows.flatten(0, -2)).view(rows.shape[:-1])

    def look_up(self, indices: Tensor) -> Tensor:
        """Codes [N, D, ...] of indices [N, ...]."""
        return self.entries[indices].movedim(-1, 1)

    @torch.no_grad()
    def follow(self) -> None:
        """Moves the codes to what the turn has shown, on all ranks alike."""
        ranks = distributed.world_size()
        self.uses.lerp_(ranks * distributed.mean(self.new_uses), 1 - self.decay)
        self.sums.lerp_(ranks * distributed.mean(self.new_sums), 1 - self.decay)
        candidates = ranks * distributed.mean(self.candidates * float(distributed.is_main()))  # rank 0's
        least = self.restart_below * ranks * distributed.mean(self.new_uses).mean()
        dead = (self.uses < least) | (self.uses == 0)
        self.uses.copy_(torch.where(dead, least.clamp(min=1e-3), self.uses))
        self.sums.copy_(torch.where(dead[:, None], candidates * self.uses[:, None], self.sums))
        self.entries.copy_(self.sums / self.uses[:, None])
        self.new_uses.zero_()
        self.new_sums.zero_()

    def _nearest(self, rows: Tensor) -> Tensor:
        return torch.addmm(self.entries.square().sum(1), rows, self.entries.T, alpha=-2).argmin(1)

    def _note(self, rows: Tensor, chosen: Tensor, uses: Tensor) -> None:
        self.new_uses += uses
        self.new_sums += chosen.T @ rows
        picks = torch.randint(len(rows), (len(self.entries),), device=rows.device)  # each turn reseeds this
        self.candidates.copy_(rows[picks])


@dataclass(frozen=True)
class UniformCodes:
    """Every code as likely as any other, at every place."""

    number: int
    grid: tuple[int, int]

    def draw(self, draws: Draws) -> Tensor:
        """Indices int64 [N, h, w]."""
        return (draws.uniform("latent", *self.grid) * self.number).long()
