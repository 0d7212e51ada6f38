"""How likely real images are under a variational autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.core.random import generator
from genlab.core.types import Count
from genlab.metrics.metric import Asking
from genlab.metrics.scores.likelihood import Bounds, bounds
from genlab.metrics.scores.reconstruction_error import name_of, unfit_to_encode
from genlab.metrics.trained_model import Trained, as_fed, evaluating, rows_of

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference

ROWS = 50  # images at a time, whatever the batch: another number draws other noise


class Likelihood(Asking):
    """`nll`, by importance sampling (Burda et al. 2016, eq. 8), and `elbo`, with the same samples: nats an image.

    -log p(x) <= -elbo; the more samples, the tighter is `nll`, whose first number decides the best checkpoint. Of VAEs
    with loss=bernoulli or gaussian under a standard normal prior; of conditional ones given the label. Padding is left
    out. Bernoulli pixels are a likelihood of black and white images (data.binarise=true); of grey ones a stand-in.
    """

    numbers = ("nll", "elbo")
    opposite = frozenset({"elbo"})

    def __init__(
        self,
        images: Count = 1_000,  # the first so many of the real split
        *,
        samples: Count = 200,  # of the latent, an image; published numbers take 5,000
    ) -> None:
        self.images, self.samples = images, samples

    @property
    def settings(self) -> str:
        pixels = type(self.source.trained.loss).__name__
        given = ", given the label" if self.source.trained.model.conditional else ""
        return f"the first {self.images:,} real images{given}; {self.samples} samples an image; {pixels} pixels"

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        if reason := unfit_to_encode(reference, trained, "posterior"):
            return reason
        if getattr(trained.loss, "is_likelihood", False):
            return None
        found = f"this {name_of(trained)} has {type(trained.loss).__name__}"
        return f"it needs a loss that is a likelihood, loss=bernoulli or gaussian, and {found}"

    def compute(self, reference: Reference) -> dict[str, float]:
        count = min(self.images, reference.count)
        found = [self.measure(reference, start, min(ROWS, count - start)) for start in range(0, count, ROWS)]
        nll, negative_elbo = (torch.cat(parts).double().mean().item() for parts in zip(*found, strict=True))
        return {"nll": nll, "elbo": -negative_elbo}

    @torch.no_grad()
    def measure(self, reference: Reference, start: int, count: int) -> Bounds:
        trained, spec = self.source.trained, reference.data.spec
        images, condition = as_fed(trained, rows_of(reference.split, start, count))
        told = None if condition is None else condition.expand(self.samples, *condition.shape).flatten(0, 1)
        with evaluating(trained) as decoder:

            def error(z: Tensor, targets: Tensor) -> Tensor:
                output = decoder(z, told).to(targets.dtype)
                return trained.loss.reconstruction(spec.crop(output), spec.crop(targets))

            posterior = trained.model.posterior(images, condition)
            return bounds(images, posterior, error, self.samples, generator(self.source.seed, "likelihood", start))
