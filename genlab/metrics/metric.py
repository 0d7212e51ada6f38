"""Metric: the interface of all scores, and base classes by what they use: features, images, or the source."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fnmatch import fnmatch

import torch
from torch import Tensor

from genlab.core.pixels import to_uint8
from genlab.metrics.extractors.extractor import Extractor
from genlab.metrics.references.reference import Reference
from genlab.metrics.sample_source import SampleSource
from genlab.metrics.trained_model import TrainedModel


class Metric(ABC):
    """Takes features of generated images, and computes named numbers.

    A metric may also take the images themselves (`update_images`), or ask their source for more (`start`).
    """

    numbers: Sequence[str] = ("*",)  # names of its numbers; * is a wildcard. The first decides the best checkpoint
    higher_is_better = False  # of its numbers, except those in `opposite`
    opposite: frozenset[str] = frozenset()
    neutral: Sequence[str] = ()  # names of numbers that do not judge the model, as real images' own; * is a wildcard
    judges_run = False  # its first number sums up how good samples are: a run in which it gets worse is sick
    biased_by_few = False  # upwards: from few samples it is far too high
    scattered_by_few = False  # without a bias: from few images, generated or real, it depends on which ones
    needs_features = False  # needs the features of real images, not only their moments
    uses_extractor = True  # else it takes no features, and its records name no extractor
    uses_split = True  # else no score depends on which split's images are compared with
    uses_samples = True  # else it takes neither features nor images
    min_images = 1  # real, and generated
    min_side = 1  # pixels, of images
    settings_to_lower = ""  # its settings that allow fewer images, for the message

    @property
    def settings(self) -> str:
        """Return the metric's own part of how a number was measured, for the record."""
        return ""

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        """Return why the metric does not fit these data or this model; None if it does. Called before training too."""
        return None

    def too_small_reason(self, reference: Reference) -> str | None:
        """Return why unpadded images are too small for the metric; None if they are large enough."""
        side = min(reference.data.spec.crop(reference.split.images[:1]).shape[2:])
        if side >= self.min_side:
            return None
        return f"it measures images of {self.min_side} pixels a side and more, and these have {side}"

    def too_few_reason(self, images: int, reference: Reference, trained: TrainedModel | None) -> str | None:
        """Return what is too few, samples or real images, and what to do; None if there are enough."""
        if not self.uses_samples or min(images, reference.count) >= self.min_images:
            return None
        remedy = "raise metrics.images" if images < self.min_images else "compare with a larger metrics.split"
        return (
            f"{images:,} samples and {reference.count:,} real images: expected {self.min_images:,} or more of either "
            f"kind; {remedy}{self.settings_to_lower and f', or lower its {self.settings_to_lower}'}"
        )

    def may_return(self, number: str, extractor: Extractor) -> bool:
        """Return whether a number of this name is among those that the metric may return."""
        return any(fnmatch(number, name) for name in self.numbers)

    def direction(self, number: str) -> bool | None:
        """Return whether more of a number is better; None if it does not judge the model."""
        if any(fnmatch(number, name) for name in self.neutral):
            return None
        return self.higher_is_better != (number in self.opposite)

    @abstractmethod
    def reset(self) -> None:
        """Forget all features and images."""

    def start(self, source: SampleSource) -> None:
        """Take the source of samples, after `reset`; `compute` may ask it for more."""
        return None

    def update_images(self, images: Tensor, condition: Tensor | None = None) -> None:
        """Add generated images as they would be saved, float [N, C, H, W] in [-1, 1], cropped; nan if not finite."""
        return None

    @abstractmethod
    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        """Add features of generated images, [N, D], and their conditions: classes [N] or attributes [N, K].

        `condition` is None for unconditional models.
        """

    @abstractmethod
    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the numbers by name; none if they mean nothing for these data or this model."""

    def pictures(self, reference: Reference) -> dict[str, Tensor]:
        """Return pictures to show, by name, after `compute`: uint8 [G, n, C, H, W], groups of images side by side."""
        return {}


class FeatureMetric(Metric):
    """Keeps all features of generated images until `compute`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._features: list[Tensor] = []
        self._conditions: list[Tensor] = []

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        self._features.append(features)
        if condition is not None:
            self._conditions.append(condition)

    @property
    def features(self) -> Tensor:
        """Return the features of all generated images, [N, D]."""
        return torch.cat(self._features)

    @property
    def condition(self) -> Tensor | None:
        return torch.cat(self._conditions) if self._conditions else None

    @property
    def finite(self) -> bool:
        """Tell whether all features are finite; those of a diverged generator are nan."""
        return bool(self.features.isfinite().all())


class IllustratedMetric(FeatureMetric):
    """Keeps features, and generates some of the images again to show them."""

    source: SampleSource | None = None

    def start(self, source: SampleSource) -> None:
        self.source = source

    def has_pictures(self, reference: Reference) -> bool:
        """Tell whether there are pictures to show; points have none."""
        return self.source is not None and reference.data.spec.height is not None and self.finite


class ImageMetric(Metric):
    """Keeps generated images until `compute`, and no features."""

    uses_extractor = False

    def __init__(self, images: int) -> None:  # at most; later ones are left out
        self.limit = images
        self.reset()

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        if not reference.data.spec.height:
            return "it measures images, and the data are points"
        return self.too_small_reason(reference)

    def reset(self) -> None:
        self._images: list[Tensor] = []
        self._conditions: list[Tensor] = []
        self._kept, self.finite, self.seed = 0, True, 0

    def start(self, source: SampleSource) -> None:
        self.seed = source.seed

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        return None

    def update_images(self, images: Tensor, condition: Tensor | None = None) -> None:
        images = images[: self.limit - self._kept]
        self.finite = self.finite and bool(images.isfinite().all())
        self._images.append(to_uint8(images))
        if condition is not None:
            self._conditions.append(condition[: len(images)])
        self._kept += len(images)

    @property
    def images(self) -> Tensor:
        """Return the images, uint8 [N, C, H, W]; meaningless unless `finite`."""
        return torch.cat(self._images)

    @property
    def condition(self) -> Tensor | None:
        return torch.cat(self._conditions) if self._conditions else None


class SourceMetric(Metric):
    """Takes no features or images: `compute` asks the source for what it needs."""

    uses_extractor = False
    uses_samples = False
    source: SampleSource

    def reset(self) -> None:
        return None

    def start(self, source: SampleSource) -> None:
        self.source = source

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        return None
