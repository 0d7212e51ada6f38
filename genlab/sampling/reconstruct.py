"""Reconstructions of real images by an autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genlab.callbacks.reconstructions import draw_reconstructions
from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.sampling.mode import Picture, Request
from genlab.trainers.encoder import encodes

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded_run import Loaded


class Reconstruct(Picture):
    """Draw the first test images, else training images, each above its reconstruction."""

    real: ClassVar[bool | None] = True
    points: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *, rows: Count = 4, columns: Count = 8) -> None:
        self.rows, self.columns = rows, columns

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        if not encodes(loaded.run):
            raise ConfigError(
                f"mode=reconstruct: this model ({loaded.run.run_dir}) has no encoder. "
                "Search for an image's latent with python -m genlab.project."
            )

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        return draw_reconstructions(loaded.run, self.rows, self.columns)
