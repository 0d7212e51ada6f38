"""Codes and reconstructions of models that encode images, for callbacks and sampling."""

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.evaluation_mode import evaluating
from genlab.core.pixels import network_values
from genlab.data import Split
from genlab.losses.latent_terms import kl_to_standard_normal
from genlab.models.contract import EncodesImages, GivesPosterior, Model
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
def posterior_divergence(samples: SampleStream, count: int) -> float | None:
    """Return the posteriors' mean divergence from the prior, in nats an image; None for a model without posteriors."""
    if not isinstance(samples.model, GivesPosterior):
        return None
    _, images, condition = first_images(samples, count)
    with evaluating(samples.model):
        posterior = samples.model.posterior(images, condition)
    return kl_to_standard_normal(posterior.mean, posterior.log_variance).sum(1).mean().item()


@torch.no_grad()
def decode(samples: SampleStream, codes: Tensor, condition: Tensor | None) -> Tensor:
    """Return images in [-1, 1], as networks see them."""
    with samples.sampling() as generator:
        return samples.render(generator(codes, condition))


def reconstruct(samples: SampleStream, count: int) -> tuple[Tensor, Tensor]:
    """Return stored test (else training) images, and the model's reconstruction of each in [-1, 1]."""
    split, images, condition = first_images(samples, count)
    return split.images, decode(samples, encode(samples, images, condition), condition).cpu()
