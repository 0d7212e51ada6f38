"""Pictures of the effect of each code of a latent."""

import torch
from torch import Tensor

from genlab.callbacks.once_per_position import OncePerPosition, save_picture
from genlab.core.pixels import to_uint8
from genlab.core.random import Draws
from genlab.core.types import Count, Positive, Side
from genlab.models.latent_contract import VariesCodes
from genlab.pictures.sheet import sheet
from genlab.trainers.trainer import Trainer


class Codes(OncePerPosition):
    """Saves `codes/<images>_<code>.png` for each code of the model's latent; does nothing where it has none.

    Every row starts from a latent of its own, the same over training; along it only that code changes.
    """

    def __init__(
        self,
        every: Count | None = 50_000,  # images
        *,
        rows: Side = 8,
        columns: Side = 10,  # values of a continuous code; a categorical one has a column a class
        reach: Positive = 2.0,  # continuous codes run from -reach to reach; they are drawn from [-1, 1]
    ) -> None:
        self.every, self.rows, self.columns, self.reach = every, rows, columns, reach

    def applies(self, trainer: Trainer) -> bool:
        return isinstance(trainer.model.latent, VariesCodes)

    def work(self, trainer: Trainer) -> None:
        latent, key = trainer.model.latent, (trainer.samples.seed, "codes")
        z = latent.draw(Draws(key, self.rows, 0, self.rows, trainer.device, trainer.samples.dtype))
        for name, latents in latent.vary(z, self.columns, self.reach):
            self._draw(trainer, name, latents)

    @torch.no_grad()
    def _draw(self, trainer: Trainer, name: str, latents: Tensor) -> None:
        """Save the images of latents [rows, columns, size]."""
        with trainer.samples.sampling() as generator:
            images = to_uint8(generator(latents.flatten(0, 1)))
        picture = sheet(trainer.spec.crop(images), latents.shape[1])
        save_picture(trainer, picture, f"codes/{trainer.images:09d}_{name}.png", f"codes/{name}")
