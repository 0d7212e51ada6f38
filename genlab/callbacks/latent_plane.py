"""Pictures of latents of two dimensions: the plane itself."""

import torch
from torch import Tensor

from genlab.callbacks.once_per_position import OncePerPosition, save_picture
from genlab.core.pixels import to_uint8
from genlab.core.types import Amount, Count, Side
from genlab.models.latent_contract import VectorLatent
from genlab.pictures.scatter import frame_of, scatter
from genlab.pictures.sheet import sheet
from genlab.trainers.encoder import decode, encode, encodes, first_images
from genlab.trainers.trainer import Trainer

CLASS_COLOURS = (  # RGB; reused in turn if there are more classes
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189),
    (140, 86, 75), (227, 119, 194), (90, 90, 90), (188, 189, 34), (23, 190, 207),
)  # fmt: skip


class LatentPlane(OncePerPosition):
    """Saves `plane/<images>_images.png` and `plane/<images>_codes.png` where the model encodes to two dimensions.

    The first shows decoded latents at the codes' quantiles along each axis (Kingma and Welling 2014, figure 4, takes
    the prior's), for the first image's condition if there is one. The second shows the images' codes, by class.
    """

    def __init__(
        self,
        every: Count | None = 50_000,
        *,
        side: Side = 20,  # decoded latents along each axis
        images: Amount = 2_000,  # encoded
    ) -> None:
        self.every, self.side, self.images = every, side, images

    def applies(self, trainer: Trainer) -> bool:
        latent = trainer.model.latent
        return isinstance(latent, VectorLatent) and latent.size == 2 and encodes(trainer.samples)

    def work(self, trainer: Trainer) -> None:
        split, images, condition = first_images(trainer.samples, self.images)
        codes = encode(trainer.samples, images, condition)
        pictures = {"codes": draw_codes(codes, trainer.data.classes_of(split))}
        if trainer.spec.height is not None:
            pictures["images"] = self._draw_images(trainer, codes, condition)
        for name, picture in pictures.items():
            save_picture(trainer, picture, f"plane/{trainer.images:09d}_{name}.png", f"plane/{name}")

    def _draw_images(self, trainer: Trainer, codes: Tensor, condition: Tensor | None) -> Tensor:
        z = quantile_grid(codes, self.side)
        conditions = None if condition is None else condition[:1].expand(len(z), *condition.shape[1:])
        return sheet(trainer.spec.crop(to_uint8(decode(trainer.samples, z, conditions))), self.side)


def quantile_grid(codes: Tensor, side: int) -> Tensor:
    """Return latents [side * side, 2], row by row from the upper left, between which lie equal shares of the codes."""
    levels = (torch.arange(side, device=codes.device, dtype=codes.dtype) + 0.5) / side
    across, up = codes.quantile(levels, dim=0).unbind(1)
    rows, columns = torch.meshgrid(up.flip(0), across, indexing="ij")
    return torch.stack([columns, rows], -1).flatten(0, 1)


def draw_codes(codes: Tensor, labels: Tensor | None) -> Tensor:
    """Draw codes [N, 2] as points, each class in its colour; without labels all in one."""
    codes = codes.cpu()
    kinds = torch.zeros(len(codes), dtype=torch.int64) if labels is None else labels.cpu()
    sets = [(codes[kinds == kind], CLASS_COLOURS[kind % len(CLASS_COLOURS)]) for kind in kinds.unique().tolist()]
    return scatter(sets, frame_of(codes))
