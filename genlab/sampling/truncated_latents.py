"""Generators for truncated latents: BigGAN's gather batch statistics anew, others keep their own."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING

from torch import Tensor, nn

from genlab.models.latent_contract import Latent
from genlab.models.layer_contract import gather_statistics, needs_standing_statistics
from genlab.sampling.conditions import conditions
from genlab.trainers.truncation import truncate_law

if TYPE_CHECKING:
    from genlab.trainers.sample_stream import TrainedRun

STATISTICS_SAMPLES = 5_000  # from which standing statistics are computed
STATISTICS_BATCH = 50  # samples


class StandingStatistics:
    """Copies of a generator with batch statistics of truncated latents (Brock et al. 2019), one for each threshold."""

    def __init__(self, run: TrainedRun) -> None:
        self.run = run
        self._made: dict[float, nn.Module] = {}

    def __call__(self, generator: nn.Module, threshold: float) -> nn.Module:
        """Return the copy for a threshold; the generator itself unless it needs such statistics."""
        if not needs_standing_statistics(generator):
            return generator
        if threshold not in self._made:
            law = truncate_law(threshold, self.run.model.latent, generator)
            self._made[threshold] = deepcopy(generator)
            gather_statistics(self._made[threshold], self._batches(law))
        return self._made[threshold]

    def _batches(self, law: Latent) -> zip[tuple[Tensor, Tensor | None]]:
        z = self.run.fixed_rows(0, STATISTICS_SAMPLES, law.draw)
        condition = conditions(self.run, 0, STATISTICS_SAMPLES, None)
        labels: Sequence[Tensor | None] = (
            [None] * (STATISTICS_SAMPLES // STATISTICS_BATCH)
            if condition is None
            else condition.split(STATISTICS_BATCH)
        )
        return zip(z.split(STATISTICS_BATCH), labels, strict=True)
