"""Grids of truncated latents: fidelity bought with variety."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING

import torch

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.core.types import Count, Positive
from genlab.models.latent_contract import Truncates
from genlab.pictures.sheet import sheet, write_png
from genlab.trainers.callback import Callback
from genlab.trainers.standing_statistics import gather_statistics

if TYPE_CHECKING:
    from torch import Tensor, nn

    from genlab.models.latent_contract import Latent
    from genlab.trainers.trainer import Trainer


class Truncation(Callback):
    """At the end, `samples/truncated_<threshold>.png` for every threshold: Brock et al. 2019, section 3.1.

    Latents are normal within +-threshold; batch normalisation's statistics are gathered anew for them.
    Raises ConfigError, at the start, if the latents are not normal.
    """

    def __init__(
        self,
        thresholds: Sequence[Positive] = (),  # 0.04 to 2 in the paper
        *,
        batches: Count = 100,  # of 50 latents, that statistics are gathered over
        rows: Count = 8,
        columns: Count = 8,
    ) -> None:
        self.thresholds, self.batches, self.rows, self.columns = thresholds, batches, rows, columns

    def start(self, trainer: Trainer) -> None:
        latent = trainer.model.latent
        if self.thresholds and not isinstance(latent, Truncates):
            raise ConfigError(f"callbacks.truncation.thresholds: needs normal latents, found {latent}. Set it to [].")

    @torch.no_grad()
    def finish(self, trainer: Trainer) -> None:
        for threshold in self.thresholds:
            latent = trainer.model.latent.truncate(threshold)
            with trainer.samples.sampling() as generator:
                samples = self.sample(trainer, deepcopy(generator), latent)
            picture = sheet(trainer.spec.crop(to_uint8(samples)), self.columns)
            write_png(picture, trainer.run_dir / "samples" / f"truncated_{threshold:g}.png")
            trainer.show(f"truncated at {threshold:g}", picture)

    def sample(self, trainer: Trainer, generator: nn.Module, latent: Latent) -> Tensor:
        """Of a generator that may be changed."""
        batches = [trainer.samples.fixed_draws(chunk) for chunk in range(-(-self.batches // 10))]  # each of ten batches
        gather_statistics(generator, self.pieces(trainer, latent, batches))
        count = self.rows * self.columns
        z = torch.cat([latent.draw(draws) for draws in batches])[:count]
        return trainer.samples.render(generator(z, trainer.samples.sample_conditions(0, count)))

    def pieces(self, trainer: Trainer, latent: Latent, batches: list) -> Iterator[tuple[Tensor, Tensor | None]]:
        for index, draws in enumerate(batches):
            z = latent.draw(draws)
            condition = trainer.samples.sample_conditions(index * len(z), len(z))
            labels = [None] * 10 if condition is None else condition.chunk(10)
            yield from zip(z.chunk(10), labels, strict=True)
