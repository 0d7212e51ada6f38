"""Grids of truncated latents, which trade variety for fidelity."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from genlab.callbacks.once_per_position import save_picture
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.core.types import Count, Positive
from genlab.models.latent_contract import Latent, Truncates
from genlab.models.layer_contract import gather_statistics
from genlab.pictures.sheet import sheet
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer


class Truncation(Callback):
    """Saves `samples/truncated_<threshold>.png` for every threshold at the end: Brock et al. 2019, section 3.1.

    Latents are normal within +-threshold; batch normalisation's statistics are gathered anew for them.
    Raises ConfigError, at the start, if the latents are not normal.
    """

    def __init__(
        self,
        thresholds: Sequence[Positive] = (),  # 0.04 to 2 in the paper
        *,
        batches: Count = 100,  # of 50 latents, over which statistics are gathered
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
            save_picture(trainer, picture, f"samples/truncated_{threshold:g}.png", f"truncated at {threshold:g}")

    def sample(self, trainer: Trainer, generator: nn.Module, latent: Latent) -> Tensor:
        """Return samples of the generator, whose batch normalisation this changes."""
        draws = [trainer.samples.fixed_draws(chunk) for chunk in range(-(-self.batches // 10))]  # each of ten batches
        latents = [latent.draw(one) for one in draws]
        gather_statistics(generator, self._split(trainer, latents))
        count = self.rows * self.columns
        z = torch.cat(latents)[:count]
        return trainer.samples.render(generator(z, trainer.samples.sample_conditions(0, count)))

    @staticmethod
    def _split(trainer: Trainer, latents: list[Tensor]) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield each tenth of each tensor of latents, and its condition."""
        for index, z in enumerate(latents):
            condition = trainer.samples.sample_conditions(index * len(z), len(z))
            yield from zip(z.chunk(10), [None] * 10 if condition is None else condition.chunk(10), strict=True)
