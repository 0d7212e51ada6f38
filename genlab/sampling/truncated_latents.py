"""Truncated latents: Brock et al. 2019, section 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.models.latent_contract import Latent, Truncates
from genlab.models.layer_contract import gather_statistics, has_batch_norm
from genlab.sampling.conditions import conditions

if TYPE_CHECKING:
    from genlab.trainers.sample_stream import TrainedRun

STATISTICS_SAMPLES = 5_000  # from which standing statistics are computed
STATISTICS_BATCH = 50  # samples


def truncate_law(threshold: float, latent: Latent) -> Latent:
    """Return the latent law within +- `threshold`. Raises ConfigError for a law that is not normal."""
    if not isinstance(latent, Truncates):
        raise ConfigError(f"truncation={threshold}: needs normal latents, and this model's are {latent}.")
    if not threshold > 0:
        raise ConfigError(f"truncation={threshold}: expected more than 0, such as 1 or 0.5.")
    return latent.truncate(threshold)


class StandingStatistics:
    """Copies of a generator with batch statistics of truncated latents, one for each threshold."""

    def __init__(self, run: TrainedRun) -> None:
        self.run = run
        self._made: dict[float, nn.Module] = {}

    def __call__(self, generator: nn.Module, threshold: float) -> nn.Module:
        """Return the copy for a threshold; the generator itself if it has no batch normalisation."""
        if not has_batch_norm(generator):
            return generator
        if threshold not in self._made:
            self._made[threshold] = deepcopy(generator)
            gather_statistics(self._made[threshold], self._batches(threshold))
        return self._made[threshold]

    def _batches(self, threshold: float) -> zip[tuple[Tensor, Tensor | None]]:
        z = self.run.fixed_rows(0, STATISTICS_SAMPLES, truncate_law(threshold, self.run.model.latent).draw)
        condition = conditions(self.run, 0, STATISTICS_SAMPLES, None)
        labels: Sequence[Tensor | None] = (
            [None] * (STATISTICS_SAMPLES // STATISTICS_BATCH)
            if condition is None
            else condition.split(STATISTICS_BATCH)
        )
        return zip(z.split(STATISTICS_BATCH), labels, strict=True)
