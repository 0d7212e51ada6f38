"""Latents of two dimensions, as the planes that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.core.pixels import to_uint8
from genlab.core.types import Count
from genlab.models.latent_contract import VectorLatent
from genlab.pictures.scatter import frame_of, scatter
from genlab.pictures.sheet import sheet, write_png
from genlab.trainers.callback import Callback
from genlab.trainers.encoder import codes_of, decoded, encodes, first_images

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer

COLOURS = (  # one a class, then from the start again
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189),
    (140, 86, 75), (227, 119, 194), (90, 90, 90), (188, 189, 34), (23, 190, 207),
)  # fmt: skip


class LatentPlane(Callback):
    """Saves `plane/<images>_images.png` and `plane/<images>_codes.png` where the model encodes to two dimensions.

    The first shows what the plane decodes to, at the codes' quantiles along each axis (Kingma and Welling 2014,
    figure 4, has the prior's), told the first image's condition if any; the second where images are, by class.
    """

    def __init__(
        self,
        every: Count | None = 50_000,
        *,
        side: Count = 20,  # decoded latents along each axis
        images: Count = 2_000,  # that are encoded
    ) -> None:
        self.every, self.side, self.images = every, side, images

    def tick(self, trainer: Trainer) -> None:
        latent = trainer.model.latent
        plane = isinstance(latent, VectorLatent) and latent.size == 2
        if not (plane and encodes(trainer.samples)) or self.done_at == trainer.images:
            return
        split, images, condition = first_images(trainer.samples, self.images)
        codes = codes_of(trainer.samples, images, condition)
        self._save(trainer, "codes", draw_codes(codes, trainer.data.classes_of(split)))
        if trainer.spec.height is not None:
            self._save(trainer, "images", self._draw_images(trainer, codes, condition))
        self.done_at = trainer.images

    def finish(self, trainer: Trainer) -> None:
        self.tick(trainer)

    def _draw_images(self, trainer: Trainer, codes: Tensor, condition: Tensor | None) -> Tensor:
        z = quantiles(codes, self.side)
        told = None if condition is None else condition[:1].expand(len(z), *condition.shape[1:])
        return sheet(trainer.spec.crop(to_uint8(decoded(trainer.samples, z, told))), self.side)

    def _save(self, trainer: Trainer, name: str, picture: Tensor) -> None:
        write_png(picture, trainer.run_dir / "plane" / f"{trainer.images:09d}_{name}.png")
        trainer.show(f"plane/{name}", picture)


def quantiles(codes: Tensor, side: int) -> Tensor:
    """[side * side, 2], row by row from the upper left: as much of the data lies between neighbours of each axis."""
    levels = (torch.arange(side, device=codes.device, dtype=codes.dtype) + 0.5) / side
    across, up = codes.quantile(levels, dim=0).unbind(1)
    rows, columns = torch.meshgrid(up.flip(0), across, indexing="ij")
    return torch.stack([columns, rows], -1).flatten(0, 1)


def draw_codes(codes: Tensor, labels: Tensor | None) -> Tensor:
    """Each class in a colour; one colour for all where there are no classes."""
    codes = codes.cpu()
    kinds = torch.zeros(len(codes), dtype=torch.int64) if labels is None else labels.cpu()
    sets = [(codes[kinds == kind], COLOURS[kind % len(COLOURS)]) for kind in kinds.unique().tolist()]
    return scatter(sets, frame_of(codes))
