"""Numbers of an encoder on held-out images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.core.types import Count
from genlab.models.contract import GivesPosterior
from genlab.trainers.callback import Callback
from genlab.trainers.encoder import decode, encode, encodes, first_images

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer

ACTIVE = 1e-2  # variance of a unit's posterior mean over the data: Burda et al. 2016, section 5.2


class Encoding(Callback):
    """Publishes numbers of the first test images (training images where there are none); nothing without an encoder.

    encoding/mean_squared_error: of reconstructions, a value of an image in [-1, 1]
    encoding/active_units: dimensions of a variational latent whose posterior mean depends on the image
    """

    def __init__(
        self,
        every: Count | None = 50_000,
        *,
        images: Count = 1_000,  # that are encoded, at once
    ) -> None:
        self.every, self.images = every, images

    def tick(self, trainer: Trainer) -> None:
        if not encodes(trainer.samples) or self.done_at == trainer.images:
            return
        _, images, condition = first_images(trainer.samples, self.images)
        codes = encode(trainer.samples, images, condition)
        error = (decode(trainer.samples, codes, condition) - images).square().mean()
        values = {"encoding/mean_squared_error": error.item()}
        if isinstance(trainer.model, GivesPosterior):
            values["encoding/active_units"] = float(active_units(codes))
        trainer.publish(values)
        self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        self.tick(trainer)


def active_units(means: Tensor) -> int:
    """How many units' posterior means [N, L] vary over the data: Burda et al. 2016, section 5.2."""
    return int((means.var(0) > ACTIVE).sum())
