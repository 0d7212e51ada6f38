"""How well an autoencoder gives images back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.core.types import Count
from genlab.metrics.extractors.measured_images import data_as_measured, samples_as_measured
from genlab.metrics.metric import Asking
from genlab.metrics.trained_model import Trained, as_fed, evaluating, rows_of

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference


class ReconstructionError(Asking):
    """`reconstruction_mse`: the mean squared error of a value of an image in [-1, 1], as it would be saved, cropped.

    Of models with an encoder. A conditional one is told the label; a variational one decodes the posterior's mean.
    """

    numbers = ("reconstruction_mse",)

    def __init__(self, images: Count = 10_000) -> None:  # the first so many of the real split
        self.images = images

    @property
    def settings(self) -> str:
        return f"the first {self.images:,} real images"

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        return unfit_to_encode(reference, trained, "codes")

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        trained, count = self.source.trained, min(self.images, reference.count)
        total = sum(
            self.error(trained, reference, start, min(reference.batch_size, count - start))
            for start in range(0, count, reference.batch_size)
        )
        return {"reconstruction_mse": total / count}

    def error(self, trained: Trained, reference: Reference, start: int, count: int) -> float:
        """The sum over images of their means."""
        spec, rows = reference.data.spec, rows_of(reference.split, start, count)
        images, condition = as_fed(trained, rows)
        with evaluating(trained) as decoder:
            again = trained.render(decoder(trained.model.codes(images, condition), condition))
        difference = samples_as_measured(again, spec) - data_as_measured(rows.images, spec).to(again.device)
        return difference.double().square().flatten(1).mean(1).sum().item()


def unfit_to_encode(reference: Reference, trained: Trained | None, method: str) -> str | None:
    """Why real images cannot be given to the model's `method`; None: they can."""
    if not reference.data.spec.height:
        return "it measures images, and the data are points"
    if not hasattr(getattr(trained, "model", None), method):
        return f"it is for models with an encoder, and this one ({name_of(trained)}) has no `{method}`"
    if trained.model.conditional and reference.split.labels is None:
        return f"the model is conditional, and {reference.name} has no labels"
    return None


def name_of(trained: Trained | None) -> str:
    return "none" if trained is None else type(trained.model).__name__
