"""Codes and reconstructions of models that encode images, for callbacks and sampling."""

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.evaluation import evaluating
from genlab.core.pixels import network_values
from genlab.data import Split
from genlab.models.contract import EncodesImages, Model
from genlab.trainers.sample_stream import SampleStream


def encodes(samples: SampleStream) -> bool:
    return isinstance(samples.model, EncodesImages)


def require_encoder(model: Model) -> EncodesImages:
    """Return the model. Raises ConfigError if it encodes no images."""
    if not isinstance(model, EncodesImages):
        raise ConfigError("this model encodes no images. Choose one that does, such as model=vae.")
    return model


def first_images(samples: SampleStream, count: int) -> tuple[Split, Tensor, Tensor | None]:
    """Return the first rows of the test (else training) split, their images as networks see them, and conditions."""
    data, spec = samples.data, samples.spec
    rows = data.test or data.train
    split = Split(rows.images[:count], None if rows.labels is None else rows.labels[:count])
    images = network_values(split.images, spec.scale)
    condition = samples.conditions_of(split, len(split.images))
    return split, images.to(samples.device, samples.dtype), condition


@torch.no_grad()
def encode(samples: SampleStream, images: Tensor, condition: Tensor | None) -> Tensor:
    with evaluating(samples.model):
        return require_encoder(samples.model).codes(images, condition)


@torch.no_grad()
def decode(samples: SampleStream, codes: Tensor, condition: Tensor | None) -> Tensor:
    """Return images in [-1, 1], as networks see them."""
    with samples.sampling() as generator:
        return samples.render(generator(codes, condition))


def reconstruct(samples: SampleStream, count: int) -> tuple[Tensor, Tensor]:
    """Return stored test (else training) images, and the model's reconstruction of each in [-1, 1]."""
    split, images, condition = first_images(samples, count)
    return split.images, decode(samples, encode(samples, images, condition), condition).cpu()
