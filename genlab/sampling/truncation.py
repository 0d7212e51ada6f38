"""Fidelity bought with variety."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from genlab.errors import ConfigError
from genlab.sampling.mode import Asked, Picture
from genlab.types import Count, Positive

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded import Loaded

log = logging.getLogger(__name__)


class Truncation(Picture):
    """A row a threshold that normal latents lie within, a column a sample: Brock et al. 2019, figure 2a.

    Batch normalisation's statistics are gathered anew for each. Raises ConfigError for latents that are not normal.
    """

    def __init__(self, thresholds: Sequence[Positive] = (2.0, 1.0, 0.5, 0.04), *, columns: Count = 8) -> None:
        if not thresholds:
            raise ConfigError("mode.thresholds=[]: expected one or more, such as [2,1,0.5,0.04].")
        self.thresholds, self.columns = thresholds, columns

    def draw(self, loaded: Loaded, asked: Asked) -> Tensor:
        log.info("rows from the top: truncated at %s", ", ".join(f"{threshold:g}" for threshold in self.thresholds))
        rows = [loaded.sample(self.columns, truncation=value, **asked.options) for value in self.thresholds]
        return loaded.draw(torch.cat(rows), self.columns)
