"""Grids of truncated latents, which trade variety for fidelity."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from genlab.callbacks.once_per_position import save_picture
from genlab.core.errors import ConfigError
from genlab.core.interruption import interruptible
from genlab.core.pixels import to_uint8
from genlab.core.types import Amount, Positive, Side
from genlab.models.contract import StyleBased
from genlab.models.latent_contract import Latent
from genlab.models.layer_contract import gather_statistics, needs_standing_statistics
from genlab.pictures.sheet import sheet
from genlab.trainers.callback import Callback
from genlab.trainers.trainer import Trainer
from genlab.trainers.truncation import truncate_law


class Truncation(Callback):
    """Saves `samples/truncated_<threshold>.png` for every threshold at the end.

    Latents are normal within +-threshold (Brock et al. 2019, section 3.1), and the batch statistics of BigGAN's
    generators are gathered anew for them. Of style-based generators a threshold is psi, which scales styles about their
    mean (Karras et al. 2019, appendix B). Raises ConfigError, at the start, where neither changes anything.
    """

    def __init__(
        self,
        thresholds: Sequence[Positive] = (),  # 0.04 to 2 in the paper
        *,
        batches: Amount = 100,  # of 50 latents, over which statistics are gathered
        rows: Side = 8,
        columns: Side = 8,
    ) -> None:
        self.thresholds, self.batches, self.rows, self.columns = thresholds, batches, rows, columns

    def start(self, trainer: Trainer) -> None:
        for threshold in self.thresholds:
            try:
                self.truncated_law(trainer, trainer.model.generator, threshold)
            except ConfigError as error:
                raise ConfigError(f"callbacks.truncation.thresholds: {error} Set it to [].") from error

    @torch.no_grad()
    def finish(self, trainer: Trainer) -> None:
        for threshold in self.thresholds:
            with interruptible(), trainer.samples.sampling() as generator:
                samples = trainer.samples.render(self.sample(trainer, generator, threshold))
            picture = sheet(trainer.spec.crop(to_uint8(samples)), self.columns)
            save_picture(trainer, picture, f"samples/truncated_{threshold:g}.png", f"truncated at {threshold:g}")

    @staticmethod
    def truncated_law(trainer: Trainer, generator: nn.Module, threshold: float) -> Latent:
        """Return the law to draw latents from; styles are truncated once the latents are mapped."""
        latent = trainer.model.latent
        return latent if isinstance(generator, StyleBased) else truncate_law(threshold, latent, generator)

    def sample(self, trainer: Trainer, generator: nn.Module, threshold: float) -> Tensor:
        """Return the output of the generator for truncated latents, [rows * columns, ...]."""
        law, count = self.truncated_law(trainer, generator, threshold), self.rows * self.columns
        z, condition = trainer.samples.fixed_rows(0, count, law.draw), trainer.samples.sample_conditions(0, count)
        if isinstance(generator, StyleBased):
            return generator.synthesis(generator.truncate_styles(generator.styles(z, condition), threshold))
        if needs_standing_statistics(generator):
            generator = deepcopy(generator)
            gather_statistics(generator, self._statistics_batches(trainer, law))
        return generator(z, condition)

    def _statistics_batches(self, trainer: Trainer, law: Latent) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield latents and conditions, 50 rows at a time, ten batches from each chunk of the fixed draws."""
        for chunk in range(-(-self.batches // 10)):
            z = law.draw(trainer.samples.fixed_draws(chunk))
            condition = trainer.samples.sample_conditions(chunk * len(z), len(z))
            yield from zip(z.chunk(10), [None] * 10 if condition is None else condition.chunk(10), strict=True)
