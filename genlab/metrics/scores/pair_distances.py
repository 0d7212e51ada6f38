"""Distances of translated images to the partners of their sources: L1, PSNR and SSIM."""

import math
from abc import abstractmethod
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from genlab.core.spec import Spec
from genlab.core.types import Amount
from genlab.data import InMemory
from genlab.metrics.evaluation import SampleSource
from genlab.metrics.extractors.extractor import data_as_measured, samples_as_measured
from genlab.metrics.metric import Metric
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.ms_ssim import WINDOW, ssim
from genlab.metrics.trained_model import TrainedModel

MEAN_IMAGE_COUNT = 10_000  # first training images that the mean image averages


class PairMetric(Metric):
    """Compares samples with the images of the split whose sources they were made from."""

    uses_extractor = False
    data: InMemory

    def __init__(self, images: Amount = 10_000) -> None:  # at most, of the split that samples are made from
        self.limit = images
        self.reset()

    @property
    def settings(self) -> str:
        return f"{self.pairs:,} pairs"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        data = reference.data
        if not data.spec.has_source:
            return "it compares images with the partners of their sources, and the data have no sources"
        if not data.aligned:
            return "the pictures of these data have no partners (data.aligned=true where there are some)"
        if reference.split is not data.examples:
            return f"samples are made from the sources of another split than {reference.name}: set metrics.split=test"
        return self.too_small_reason(reference)

    def reset(self) -> None:
        self.pairs = 0

    def start(self, source: SampleSource) -> None:
        self.data = source.trained.data

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        return None

    def update_images(self, images: Tensor, condition: Tensor | None = None) -> None:
        rows = slice(self.pairs, min(self.pairs + len(images), self.limit, len(self.data.examples.images)))
        if rows.stop > rows.start:
            self.compare(images[: rows.stop - rows.start], rows)
            self.pairs = rows.stop

    @abstractmethod
    def compare(self, images: Tensor, rows: slice) -> None:
        """Add samples that were made from these rows of `data.examples`."""


class PairDistance(PairMetric):
    """A distance of samples to the images whose sources they were made from: the mean over images.

    Two answers that need no model are measured too: `_identity`, the source itself (if it is a picture; resized
    bicubically to the images' size), and `_mean`, the mean of training images. Images are measured as they would be
    saved, without padding.
    """

    name: ClassVar[str]
    neutral = ("*_mean", "*_identity")

    @property
    def numbers(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}_mean", f"{self.name}_identity")

    def reset(self) -> None:
        super().reset()
        self.found: dict[str, list[Tensor]] = {}

    def compare(self, images: Tensor, rows: slice) -> None:
        spec, split = self.data.spec, self.data.examples
        targets = data_as_measured(split.images[rows], spec).to(images.device)
        answers = {self.name: images, f"{self.name}_mean": mean_image(self.data)}
        if not spec.require_source().classes:
            answers[f"{self.name}_identity"] = as_images(self.data.conditions(split, rows.start, len(images)), spec)
        for name, answer in answers.items():
            found = self.distance(answer.to(images).expand_as(images), targets).double().cpu()
            self.found.setdefault(name, []).append(found)

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the mean distances; nan if any image is not finite."""
        return {name: torch.cat(values).mean().item() for name, values in self.found.items()}

    @abstractmethod
    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        """Return the distance [N] of float images [N, C, H, W] in [-1, 1] to their targets."""


class L1(PairDistance):
    """`l1`: the mean absolute difference of values in [-1, 1]; lower is better."""

    name = "l1"

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        return (images - targets).abs().flatten(1).mean(1)


class PSNR(PairDistance):
    """`psnr`: 10 log10(255^2 / mean squared error) of 8-bit values, decibels; higher is better.

    Equal images, whose ratio is infinite, count as if they differed by one grey level in one value.
    """

    name = "psnr"
    higher_is_better = True

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        error = ((images - targets) * 127.5).double().square().flatten(1).mean(1)
        return 20 * math.log10(255) - 10 * error.clamp(min=1 / images[0].numel()).log10()


class SSIM(PairDistance):
    """`ssim`: Wang et al. 2004, equation 13, with the Gaussian window of 11 pixels; higher is better, at most 1.

    The mean over channels and over all places where the window lies within the image.
    """

    name = "ssim"
    higher_is_better = True
    min_side = WINDOW

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        return ssim((images + 1) / 2, (targets + 1) / 2)[0].mean(1)


def as_images(sources: Tensor, spec: Spec) -> Tensor:
    """Return sources [N, S, h, w] in the images' size and channels (one channel is repeated, several are averaged)."""
    if sources.shape[2:] != spec.shape[1:]:
        sources = interpolate(sources, size=spec.shape[1:], mode="bicubic", antialias=True)
    if sources.shape[1] != spec.channels:
        sources = sources.mean(1, keepdim=True).expand(-1, spec.channels, -1, -1)
    return samples_as_measured(sources, spec)


@lru_cache(maxsize=1)
def mean_image(data: InMemory) -> Tensor:
    """Return the mean of the first training images, as it would be saved: [1, C, H, W]."""
    images = data.train.images[:MEAN_IMAGE_COUNT]
    total = sum(chunk.double().sum(0, keepdim=True) for chunk in images.split(1_000))
    return data_as_measured((total / len(images)).round(), data.spec)
