"""The VQ-VAE's codebook, whose codes follow the latents by moving averages."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlab.core import distributed
from genlab.core.random import Draws
from genlab.models.contract import Quantised


class Codebook(nn.Module):
    """Latents [N, D, ...] -> the nearest of `number` codes, by Euclidean distance.

    Each code is the moving average of the latents nearest to it: van den Oord et al. 2017, appendix A.1. A code that is
    hardly used is moved to a latent of the last batch (Dhariwal et al. 2020, section 3.1); at first all codes are, so
    that the first batch initialises the codebook. These latents come from the turn's last micro-batch on the first
    rank; in this alone a run depends on the number of ranks and micro-batches.
    """

    def __init__(
        self,
        number: int,
        size: int,
        *,
        decay: float,  # of the moving averages, per turn
        restart_below: float,  # use below which a code restarts, as a share of an equal use of all codes
    ) -> None:
        super().__init__()
        self.decay, self.restart_below = decay, restart_below
        self.register_buffer("entries", torch.randn(number, size))
        self.register_buffer("uses", torch.zeros(number))  # N of equation 6, averaged
        self.register_buffer("sums", torch.zeros(number, size))  # m of equation 7
        # Accumulated over the current turn's micro-batches:
        self.register_buffer("new_uses", torch.zeros(number), persistent=False)
        self.register_buffer("new_sums", torch.zeros(number, size), persistent=False)
        self.register_buffer("candidates", torch.zeros(number, size), persistent=False)

    def forward(self, latents: Tensor) -> Quantised:
        with torch.autocast(latents.device.type, enabled=False):  # half precision confuses near codes
            rows = latents.detach().movedim(1, -1).flatten(0, -2).to(self.entries.dtype)
            indices = self._nearest(rows)
            one_hot = indices[:, None] == torch.arange(len(self.entries), device=rows.device)
            one_hot = one_hot.to(rows.dtype)  # one-hot [M, number]
            uses = one_hot.sum(0)
            if self.training:
                self._accumulate(rows, one_hot, uses)
        shape = latents.movedim(1, -1).shape
        codes = self.entries[indices].view(shape).movedim(-1, 1)
        entropy = torch.special.entr(uses / len(rows)).sum(0, keepdim=True)
        used = uses.sign().sum(0, keepdim=True)
        return Quantised(latents, latents + (codes - latents).detach(), codes, entropy.exp(), used)

    def nearest(self, latents: Tensor) -> Tensor:
        """Return indices [N, ...] of the codes nearest to latents [N, D, ...]."""
        rows = latents.movedim(1, -1)
        return self._nearest(rows.flatten(0, -2)).view(rows.shape[:-1])

    def look_up(self, indices: Tensor) -> Tensor:
        """Return codes [N, D, ...] of indices [N, ...]."""
        return self.entries[indices].movedim(-1, 1)

    @torch.no_grad()
    def update_entries(self) -> None:
        """Update the codes by the latents of the turn, identically on all ranks."""
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

    def _accumulate(self, rows: Tensor, one_hot: Tensor, uses: Tensor) -> None:
        self.new_uses += uses
        self.new_sums += one_hot.T @ rows
        picks = torch.randint(len(rows), (len(self.entries),), device=rows.device)  # reseeded each turn
        self.candidates.copy_(rows[picks])


@dataclass(frozen=True)
class UniformCodes:
    """The uniform distribution over codes, independent at every position of a grid."""

    number: int
    grid: tuple[int, int]

    def __str__(self) -> str:
        return f"codes uniform among {self.number}"

    def draw(self, draws: Draws) -> Tensor:
        """Return indices int64 [N, h, w]."""
        return (draws.uniform("latent", *self.grid) * self.number).long()
