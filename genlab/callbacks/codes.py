"""Pictures of what each code of a latent changes in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.core.pixels import to_uint8
from genlab.core.random import Draws
from genlab.core.types import Count, Positive
from genlab.models.latent_contract import VariesCodes
from genlab.pictures.sheet import READABLE, drawable, enlarge, tile, write_png
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer


class Codes(Callback):
    """Saves `codes/<images>_<code>.png` for each code of the model's latent; does nothing where it has none.

    Every row starts from a latent of its own, the same over training; along it only that code changes.
    """

    def __init__(
        self,
        every: Count | None = 50_000,  # images
        *,
        rows: Count = 8,
        columns: Count = 10,  # values of a continuous code; a categorical one has a column a class
        reach: Positive = 2.0,  # continuous codes run from -reach to reach; they are drawn from [-1, 1]
    ) -> None:
        self.every, self.rows, self.columns, self.reach = every, rows, columns, reach

    def tick(self, trainer: Trainer) -> None:
        latent = trainer.model.latent
        if not isinstance(latent, VariesCodes) or self.done_at == trainer.images:
            return
        key = (trainer.samples.seed, "codes")
        z = latent.draw(Draws(key, self.rows, 0, self.rows, trainer.device, trainer.samples.dtype))
        for name, sheet in latent.vary(z, self.columns, self.reach):
            self._draw(trainer, name, sheet)
        self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        self.tick(trainer)

    @torch.no_grad()
    def _draw(self, trainer: Trainer, name: str, sheet: Tensor) -> None:
        """`sheet`: latents [rows, columns, size]."""
        with trainer.samples.sampling() as generator:
            images = to_uint8(generator(sheet.flatten(0, 1)))
        images, columns = drawable(trainer.spec.crop(images).cpu()), sheet.shape[1]
        factor = -(-READABLE // (columns * images.shape[-1]))
        picture = tile(enlarge(images, factor), columns)
        write_png(picture, trainer.run_dir / "codes" / f"{trainer.images:09d}_{name}.png")
        trainer.show(f"codes/{name}", picture)
