"""Pictures of inputs of a translation model with their outputs."""

import colorsys

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from genlab.callbacks.once_per_position import OncePerPosition, save_picture
from genlab.core.pixels import to_uint8
from genlab.core.spec import Spec
from genlab.core.types import Count, Side
from genlab.pictures.sheet import GREY, sheet
from genlab.trainers.trainer import Trainer

HUE_STEP = 0.618034  # of a turn between the hues of neighbouring classes, the golden ratio: many classes stay distinct


class Translations(OncePerPosition):
    """Saves `translations/<images>.png`; does nothing where the model translates no pictures.

    Shows the test (else training) split: a row of inputs, below it their outputs, the targets if inputs have
    partners, and any other picture that the samples offer. Label maps are drawn in colours, no class in black.
    """

    def __init__(self, every: Count | None = 50_000, *, rows: Side = 3, columns: Side = 8) -> None:
        self.every, self.rows, self.columns = every, rows, columns

    def applies(self, trainer: Trainer) -> bool:
        return trainer.samples.translates

    def work(self, trainer: Trainer) -> None:
        picture = draw_translations(trainer, self.rows, self.columns)
        save_picture(trainer, picture, f"translations/{trainer.images:09d}.png", "translations")


def draw_translations(trainer: Trainer, rows: int, columns: int) -> Tensor:
    """Draw the first rows * columns inputs, outputs and targets, uint8 [1 or 3, H, W]."""
    count = min(rows * columns, len(trainer.data.examples.images))
    kinds = [to_picture(images, trainer.spec) for images in trainer.samples.translations(0, count).values()]
    channels = max(images.shape[1] for images in kinds)
    lines = zip(*(images.expand(-1, channels, -1, -1).split(columns) for images in kinds), strict=True)
    return sheet(torch.cat([pad_line(line, columns) for block in lines for line in block]), columns)


def to_picture(images: Tensor, spec: Spec) -> Tensor:
    """Turn network inputs or outputs into uint8 [N, 1 or 3, H, W] of the images' size, without padding."""
    images, classes = images.float().cpu(), spec.require_source().classes
    if classes and images.shape[1] == classes != spec.channels:
        images = colour_classes(images)
    if images.shape[1] not in (1, 3):
        images = images.mean(1, keepdim=True)
    if images.shape[2:] != spec.shape[1:]:
        images = interpolate(images, size=spec.shape[1:])
    return spec.crop(to_uint8(images))


def colour_classes(maps: Tensor) -> Tensor:
    """Turn one-hot label maps [N, K, H, W] into images [N, 3, H, W] in [-1, 1]."""
    colours = [colorsys.hsv_to_rgb(number * HUE_STEP % 1, 0.8, 1.0) for number in range(maps.shape[1])]
    return torch.einsum("nkhw,kc->nchw", maps, torch.tensor(colours)) * 2 - 1


def pad_line(line: Tensor, columns: int) -> Tensor:
    """Append grey pictures to a line that ends early."""
    return torch.cat([line, line.new_full((columns - len(line), *line.shape[1:]), GREY)])
