"""What a metric is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.core.pixels import to_uint8

if TYPE_CHECKING:
    from genlab.metrics.extractors.extractor import Extractor
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.sample_source import Source
    from genlab.metrics.trained_model import Trained


class Metric(ABC):
    """Is fed features of generated images, then yields named numbers.

    One that needs more is shown the images themselves (`look`), or asks the source for it (`start`).
    """

    numbers: Sequence[str] = ("*",)  # names of what it yields; * stands for anything. The first decides which is best
    higher_is_better = False  # of its numbers, except those in `opposite`
    opposite: frozenset[str] = frozenset()
    judges_run = False  # its first number sums up how good samples are: a run in which that gets worse is sick
    biased_by_few = False  # upwards: from few samples it is far too high
    needs_features = False  # asks for the features of real images, not for their moments alone
    uses_extractor = True  # else it is fed no features, and its records name no extractor
    uses_samples = True  # of the fixed stream; else it is fed nothing
    least = 1  # images of either kind without which it has no numbers
    lower = ""  # which of its own settings would do with fewer

    @property
    def settings(self) -> str:
        """Its own part of how a number was measured, for the record."""
        return ""

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        """Why it has no numbers for these data or this model; None: it has some. Asked before training."""
        return None

    def lacks(self, images: int, reference: Reference, trained: Trained | None) -> str | None:
        """Of what so many samples and the real images are too few, and what to do; None: enough. Asked with `unfit`."""
        if not self.uses_samples or min(images, reference.count) >= self.least:
            return None
        remedy = "raise metrics.images" if images < self.least else "compare with a larger metrics.split"
        return (
            f"{images:,} samples and {reference.count:,} real images: expected {self.least:,} or more of either kind; "
            f"{remedy}{self.lower and f', or lower its {self.lower}'}"
        )

    def gives(self, number: str, extractor: Extractor) -> bool:
        """Whether a number of this name is among those that it may yield."""
        return any(fnmatch(number, name) for name in self.numbers)

    @abstractmethod
    def reset(self) -> None:
        """Forgets all that it was fed."""

    def start(self, source: Source) -> None:
        """Is told, after `reset`, where samples come from, and may ask there for others in `compute`."""
        return None

    def look(self, images: Tensor, condition: Tensor | None = None) -> None:
        """Adds generated images as they would be saved, float [N, C, H, W] in [-1, 1], cropped; nan if not finite."""
        return None

    @abstractmethod
    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        """Adds features of generated images, [N, D], and what they were asked to show: classes [N], attributes [N, K].

        `condition` is None where the model takes none.
        """

    @abstractmethod
    def compute(self, reference: Reference) -> dict[str, float]:
        """Its numbers by name; none where they mean nothing for this data or model."""

    def pictures(self, reference: Reference) -> dict[str, Tensor]:
        """After `compute`, what is to be looked at, by name: uint8 [G, n, C, H, W], groups of images side by side."""
        return {}


class Gathering(Metric):
    """Keeps all features until the end."""

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
        """[N, D] of all generated images."""
        return torch.cat(self._features)

    @property
    def condition(self) -> Tensor | None:
        return torch.cat(self._conditions) if self._conditions else None

    @property
    def finite(self) -> bool:
        """Whether they can be compared at all: a generator that diverged makes nan."""
        return bool(self.features.isfinite().all())


class Showing(Gathering):
    """Makes some of the generated images again, to show them."""

    source: Source | None = None

    def start(self, source: Source) -> None:
        self.source = source

    def shows(self, reference: Reference) -> bool:
        """Whether there is anything to look at: points are no pictures."""
        return self.source is not None and reference.data.spec.height is not None and self.finite


class Looking(Metric):
    """Keeps generated images until the end, and no features."""

    uses_extractor = False

    def __init__(self, images: int) -> None:  # at most; those after them are not looked at
        self.limit = images
        self.reset()

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        return None if reference.data.spec.height else "it measures images, and the data are points"

    def reset(self) -> None:
        self._images: list[Tensor] = []
        self._conditions: list[Tensor] = []
        self._kept, self.finite, self.seed = 0, True, 0

    def start(self, source: Source) -> None:
        self.seed = source.seed

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        return None

    def look(self, images: Tensor, condition: Tensor | None = None) -> None:
        images = images[: self.limit - self._kept]
        self.finite = self.finite and bool(images.isfinite().all())
        self._images.append(to_uint8(images))
        if condition is not None:
            self._conditions.append(condition[: len(images)])
        self._kept += len(images)

    @property
    def images(self) -> Tensor:
        """uint8 [N, C, H, W]; without a meaning unless `finite`."""
        return torch.cat(self._images)

    @property
    def condition(self) -> Tensor | None:
        return torch.cat(self._conditions) if self._conditions else None


class Asking(Metric):
    """Is fed nothing: what it needs it asks of the source, in `compute`."""

    uses_extractor = False
    uses_samples = False
    source: Source

    def reset(self) -> None:
        return None

    def start(self, source: Source) -> None:
        self.source = source

    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        return None
