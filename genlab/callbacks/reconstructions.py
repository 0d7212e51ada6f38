"""What an autoencoder makes of real images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.core.types import Count
from genlab.pictures.reconstructions import draw_reconstructions, how_many
from genlab.pictures.sheet import write_png
from genlab.trainers.callback import Callback
from genlab.trainers.encoder import encodes, reconstruct

if TYPE_CHECKING:
    from genlab.trainers.trainer import Trainer


class Reconstructions(Callback):
    """Saves `reconstructions/<images>.png`; does nothing where the model has no encoder.

    Test images (training images where there are none), each with its reconstruction below. Points are blue, their
    reconstructions red, and a line joins the two: of principal components it is the projection's.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Count = 4, columns: Count = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns

    def tick(self, trainer: Trainer) -> None:
        if not encodes(trainer.samples) or self.done_at == trainer.images:
            return
        count = how_many(trainer.spec, self.rows, self.columns)
        picture = draw_reconstructions(*reconstruct(trainer.samples, count), trainer.spec, self.columns)
        write_png(picture, trainer.run_dir / "reconstructions" / f"{trainer.images:09d}.png")
        trainer.show("reconstructions", picture)
        self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        self.tick(trainer)
