"""Statistics of an encoder on held-out images."""

from torch import Tensor

from genlab.callbacks.once_per_position import OncePerPosition
from genlab.core.types import Amount, Count
from genlab.models.contract import GivesPosterior
from genlab.trainers.encoder import decode, encode, encodes, first_images
from genlab.trainers.trainer import Trainer

MIN_ACTIVE_VARIANCE = 1e-2  # of a unit's posterior mean over the data: Burda et al. 2016, section 5.2


class Encoding(OncePerPosition):
    """Publishes statistics of the first test (else training) images; does nothing without an encoder.

    encoding/mean_squared_error: of reconstructions, per value of an image in [-1, 1], or of a point in its own units
    encoding/active_units: dimensions of a variational latent whose posterior mean depends on the image
    """

    def __init__(
        self,
        every: Count | None = 50_000,
        *,
        images: Amount = 1_000,  # encoded in one batch
    ) -> None:
        self.every, self.images = every, images

    def applies(self, trainer: Trainer) -> bool:
        return encodes(trainer.samples)

    def work(self, trainer: Trainer) -> None:
        _, images, condition = first_images(trainer.samples, self.images)
        codes = encode(trainer.samples, images, condition)
        error = (decode(trainer.samples, codes, condition) - images).square().mean()
        values = {"encoding/mean_squared_error": error.item() * trainer.spec.scale**2}
        if isinstance(trainer.model, GivesPosterior):
            values["encoding/active_units"] = float(count_active_units(codes))
        trainer.publish(values)


def count_active_units(means: Tensor) -> int:
    """Count the units whose posterior means [N, L] vary over the data: Burda et al. 2016, section 5.2."""
    return int((means.var(0) > MIN_ACTIVE_VARIANCE).sum())
