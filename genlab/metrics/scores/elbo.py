"""Likelihood of real images under a variational autoencoder: importance sampling and the ELBO."""

import torch
from torch import Tensor

from genlab.core.random import generator
from genlab.core.types import Amount
from genlab.metrics.metric import SourceMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.importance_bounds import Bounds, draw_bounds
from genlab.metrics.scores.reconstruction_error import encoding_unfit_reason, model_name
from genlab.metrics.trained_model import TrainedModel, evaluation_mode, network_inputs, split_rows
from genlab.models.contract import GivesPosterior

IMAGES_AT_ONCE = 50  # whatever the batch size: another number would draw other noise


class Likelihood(SourceMetric):
    """`nll`, by importance sampling (Burda et al. 2016, eq. 8), and `elbo`, with the same samples: nats an image.

    -log p(x) <= -elbo; more samples make `nll` tighter, which decides the best checkpoint. For VAEs with loss=bernoulli
    or gaussian and a standard normal prior; given the label for conditional ones. Padding is left out. Bernoulli
    pixels are a true likelihood for black and white images (data.binarise=true) alone.
    """

    numbers = ("nll", "elbo")
    opposite = frozenset({"elbo"})

    def __init__(
        self,
        images: Amount = 1_000,  # the first so many of the real split
        *,
        samples: Amount = 200,  # of the latent, for each image; published numbers take 5,000
    ) -> None:
        self.images, self.samples = images, samples

    @property
    def settings(self) -> str:
        pixels = type(self.source.trained.decoding).__name__
        given = ", given the label" if self.source.trained.model.conditional else ""
        return f"the first {self.images:,} real images{given}; {self.samples} samples an image; {pixels} pixels"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        if reason := encoding_unfit_reason(reference, trained):
            return reason
        name = model_name(trained)
        if not isinstance(trained.model, GivesPosterior):
            return f"it needs an encoder that gives a distribution over latents, and this {name} has none"
        if trained.decoding is not None and trained.decoding.is_likelihood:
            return None
        found = f"this {name} has {'none' if trained.decoding is None else type(trained.decoding).__name__}"
        return f"it needs a loss that is a likelihood, loss=bernoulli or gaussian, and {found}"

    def compute(self, reference: Reference) -> dict[str, float]:
        count = min(self.images, reference.count)
        starts = range(0, count, IMAGES_AT_ONCE)
        found = [self.measure_bounds(reference, start, min(IMAGES_AT_ONCE, count - start)) for start in starts]
        nll, negative_elbo = (torch.cat(parts).double().mean().item() for parts in zip(*found, strict=True))
        return {"nll": nll, "elbo": -negative_elbo}

    @torch.no_grad()
    def measure_bounds(self, reference: Reference, start: int, count: int) -> Bounds:
        trained, spec = self.source.trained, reference.data.spec
        images, condition = network_inputs(trained, split_rows(reference.split, start, count))
        conditions = None if condition is None else condition.expand(self.samples, *condition.shape).flatten(0, 1)
        with evaluation_mode(trained) as decoder:

            def error(z: Tensor, targets: Tensor) -> Tensor:
                output = decoder(z, conditions).to(targets.dtype)
                return trained.decoding.reconstruction(spec.crop(output), spec.crop(targets))

            posterior = trained.model.posterior(images, condition)
            return draw_bounds(images, posterior, error, self.samples, generator(self.source.seed, "likelihood", start))
