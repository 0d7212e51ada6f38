"""Pictures of real images and their reconstructions by an autoencoder."""

from genlab.callbacks.once_per_position import OncePerPosition, save_picture
from genlab.core.types import Count
from genlab.pictures.reconstructions import draw_reconstructions, shown_count
from genlab.trainers.encoder import encodes, reconstruct
from genlab.trainers.trainer import Trainer


class Reconstructions(OncePerPosition):
    """Saves `reconstructions/<images>.png`; does nothing where the model has no encoder.

    Shows test (else training) images, each with its reconstruction below. Points are blue, their reconstructions
    red, and a line joins the two: for principal components it is the projection's.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Count = 4, columns: Count = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns

    def applies(self, trainer: Trainer) -> bool:
        return encodes(trainer.samples)

    def work(self, trainer: Trainer) -> None:
        count = shown_count(trainer.spec, self.rows, self.columns)
        picture = draw_reconstructions(*reconstruct(trainer.samples, count), trainer.spec, self.columns)
        save_picture(trainer, picture, f"reconstructions/{trainer.images:09d}.png", "reconstructions")
