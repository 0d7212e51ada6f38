"""How near is what a model makes of a picture to the picture's partner?"""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from genlab.core.types import Count
from genlab.metrics.extractors.measured_images import data_as_measured, samples_as_measured
from genlab.metrics.metric import Metric
from genlab.metrics.scores.ms_ssim import WINDOW, ssim

if TYPE_CHECKING:
    from genlab.core.spec import Spec
    from genlab.data import InMemory
    from genlab.metrics.evaluation import Source
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.trained_model import Trained

AVERAGED = 10_000  # images
ROUNDING = 1 / 12  # mean squared error, in grey levels, of what was rounded to 8 bit: no image is known any better


class Beside(Metric):
    """Looks at samples beside the rows of the split whose sources they were made from."""

    uses_extractor = False
    data: InMemory

    def __init__(self, images: Count = 10_000) -> None:  # at most, of the split that samples are made from
        self.limit = images
        self.reset()

    @property
    def settings(self) -> str:
        return f"{self.seen:,} pairs"

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        data = reference.data
        if not data.spec.source:
            return "it compares images with the partners of their sources, and the data have no sources"
        if not data.aligned:
            return "the pictures of these data have no partners (data.aligned=true where there are some)"
        if reference.split is not data.examples:
            return f"samples are made from the sources of another split than {reference.name}: set metrics.split=test"
        return None

    def reset(self) -> None:
        self.seen = 0

    def start(self, source: Source) -> None:
        self.data = source.trained.data

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        return None

    def look(self, images: Tensor, condition: Tensor | None = None) -> None:
        rows = slice(self.seen, min(self.seen + len(images), self.limit, len(self.data.examples.images)))
        if rows.stop > rows.start:
            self.compare(images[: rows.stop - rows.start], rows)
            self.seen = rows.stop

    @abstractmethod
    def compare(self, images: Tensor, rows: slice) -> None:
        """Adds samples, made from these rows of `data.examples`."""


class Paired(Beside):
    """A distance of samples to the images whose sources they were made from: the mean over images.

    Also, under names of their own, that of two answers that need no model: leaving the source as it is (`_identity`,
    where it is a picture; resized bicubically if it is of another size) and giving the mean of training images for
    each (`_mean`). Images are measured as they would be saved, without padding.
    """

    name: ClassVar[str]

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
        if not spec.source_classes:
            answers[f"{self.name}_identity"] = as_image(self.data.sources(split, rows.start, len(images)), spec)
        for name, answer in answers.items():
            found = self.distance(answer.to(images).expand_as(images), targets).double().cpu()
            self.found.setdefault(name, []).append(found)

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if any image was not finite."""
        return {name: torch.cat(values).mean().item() for name, values in self.found.items()}

    @abstractmethod
    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        """Of float images [N, C, H, W] in [-1, 1]: [N]."""


class L1(Paired):
    """`l1`: the mean absolute difference of values in [-1, 1]; lower is better."""

    name = "l1"

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        return (images - targets).abs().flatten(1).mean(1)


class PSNR(Paired):
    """`psnr`: 10 log10(255^2 / mean squared error) of 8-bit values, decibels; higher is better.

    The error counts as that of rounding at least, so an image without any has 58.9 dB.
    """

    name = "psnr"
    higher_is_better = True

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        error = ((images - targets) * 127.5).square().flatten(1).mean(1)
        return 20 * math.log10(255) - 10 * error.clamp(min=ROUNDING).log10()


class SSIM(Paired):
    """`ssim`: Wang et al. 2004, equation 13, with the Gaussian window of 11 pixels; higher is better, at most 1.

    The mean over channels and over all places where the window lies within the image.
    """

    name = "ssim"
    higher_is_better = True

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        least = min(reference.data.spec.crop(reference.split.images[:1]).shape[2:])
        small = f"its window has {WINDOW} pixels a side, and images have {least}" if least < WINDOW else None
        return super().unfit(reference, trained) or small

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        return ssim((images + 1) / 2, (targets + 1) / 2)[0].mean(1)


def as_image(sources: Tensor, spec: Spec) -> Tensor:
    """Sources [N, S, h, w] as answers: of the images' size and channels (grey ones repeated, others' mean)."""
    if sources.shape[2:] != spec.shape[1:]:
        sources = interpolate(sources, size=spec.shape[1:], mode="bicubic", antialias=True)
    if sources.shape[1] != spec.channels:
        sources = sources.mean(1, keepdim=True).expand(-1, spec.channels, -1, -1)
    return samples_as_measured(sources, spec)


@lru_cache(maxsize=1)
def mean_image(data: InMemory) -> Tensor:
    """Of the first training images, as it would be saved: [1, C, H, W]."""
    images = data.train.images[:AVERAGED]
    total = sum(chunk.double().sum(0, keepdim=True) for chunk in images.split(1_000))
    return data_as_measured((total / len(images)).round(), data.spec)
