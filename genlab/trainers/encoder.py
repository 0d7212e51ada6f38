"""What callbacks ask of models that encode images: those with `codes`, the images' latents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from genlab.core.pixels import network_values
from genlab.models.contract import EncodesImages

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.data import Split
    from genlab.trainers.trainer import Trainer


def encodes(trainer: Trainer) -> bool:
    return isinstance(trainer.model, EncodesImages)


def first_images(trainer: Trainer, count: int) -> tuple[Split, Tensor, Tensor | None]:
    """The first of the test split, else of the training images: as they are, as networks see them, their conditions."""
    data, spec = trainer.data, trainer.spec
    split = type(data.train)(*(None if part is None else part[:count] for part in data.test or data.train))
    seen = network_values(split.images, spec.scale)
    condition = trainer.conditions_of(split, len(split.images))
    return split, seen.to(trainer.device, trainer.engine.dtype), condition


@torch.no_grad()
def codes_of(trainer: Trainer, images: Tensor, condition: Tensor | None) -> Tensor:
    with evaluating(trainer):
        return trainer.model.codes(images, condition)


@torch.no_grad()
def decoded(trainer: Trainer, codes: Tensor, condition: Tensor | None) -> Tensor:
    """Images in [-1, 1], as networks see them."""
    with trainer.sampling() as generator:
        return trainer.render(generator(codes, condition))


def reconstruct(trainer: Trainer, count: int) -> tuple[Tensor, Tensor]:
    """Stored test images (training images where there are none), and what the model makes of each, in [-1, 1]."""
    split, images, condition = first_images(trainer, count)
    return split.images, decoded(trainer, codes_of(trainer, images, condition), condition).cpu()


@contextmanager
def evaluating(trainer: Trainer) -> Iterator[None]:
    was_training = trainer.model.training
    trainer.model.eval()
    try:
        yield
    finally:
        trainer.model.train(was_training)
