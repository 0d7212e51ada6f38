"""What a metric is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from genlab.metrics.reference import Reference


class Metric(ABC):
    """Is fed features of generated images, then yields named numbers."""

    higher_is_better = False  # of its first number: which of two checkpoints is kept
    needs_features = False  # asks for the features of real images, not for their moments alone

    @property
    def settings(self) -> str:
        """Its own part of how a number was measured, for the record."""
        return ""

    @abstractmethod
    def reset(self) -> None:
        """Forgets all that it was fed."""

    @abstractmethod
    def update(self, features: Tensor, condition: Tensor | None = None) -> None:
        """Adds features of generated images, [N, D], and what they were asked to show: classes [N], attributes [N, K].

        `condition` is None where the model takes none.
        """

    @abstractmethod
    def compute(self, reference: Reference) -> dict[str, float]:
        """Its numbers by name; none where they mean nothing for this data or model."""


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
