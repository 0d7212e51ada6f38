"""Reconstruction error: how well does an autoencoder reproduce images?"""

import torch

from genlab.core.types import Amount
from genlab.metrics.extractors.extractor import data_as_measured, samples_as_measured
from genlab.metrics.metric import SourceMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel, evaluation_mode, network_inputs, split_rows
from genlab.models.contract import EncodesImages


class ReconstructionError(SourceMetric):
    """`reconstruction_mse`: the mean squared error of values in [-1, 1], of images as they would be saved, cropped.

    For models with an encoder. Conditional ones are given the label; variational ones decode the posterior's mean.
    """

    numbers = ("reconstruction_mse",)

    def __init__(self, images: Amount = 10_000) -> None:  # the first so many of the real split
        self.images = images

    @property
    def settings(self) -> str:
        return f"the first {self.images:,} real images"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        return encoding_unfit_reason(reference, trained)

    @torch.no_grad()
    def compute(self, reference: Reference) -> dict[str, float]:
        trained, count = self.source.trained, min(self.images, reference.count)
        total = sum(
            self.sum_errors(trained, reference, start, min(reference.batch_size, count - start))
            for start in range(0, count, reference.batch_size)
        )
        return {"reconstruction_mse": total / count}

    def sum_errors(self, trained: TrainedModel, reference: Reference, start: int, count: int) -> float:
        """Return the sum over images of their mean squared errors."""
        spec, rows = reference.data.spec, split_rows(reference.split, start, count)
        images, condition = network_inputs(trained, rows)
        with evaluation_mode(trained) as decoder:
            again = trained.render(decoder(trained.model.codes(images, condition), condition))
        difference = samples_as_measured(again, spec) - data_as_measured(rows.images, spec).to(again.device)
        return difference.double().square().flatten(1).mean(1).sum().item()


def encoding_unfit_reason(reference: Reference, trained: TrainedModel | None) -> str | None:
    """Return why the model cannot encode real images; None if it can."""
    if not reference.data.spec.height:
        return "it measures images, and the data are points"
    if trained is None or not isinstance(trained.model, EncodesImages):
        return f"it is for models with an encoder, and this one ({model_name(trained)}) has none"
    if trained.model.conditional and reference.split.labels is None:
        return f"the model is conditional, and {reference.name} has no labels"
    return None


def model_name(trained: TrainedModel | None) -> str:
    return "none" if trained is None else type(trained.model).__name__
