"""Fidelity bought with variety."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.sampling.mode import Picture, Request

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded_run import Loaded

LATENT_THRESHOLDS, STYLE_THRESHOLDS = (2.0, 1.0, 0.5, 0.04), (1.0, 0.7, 0.5, 0.0, -0.5)  # of latents; of styles
log = logging.getLogger(__name__)


class Truncation(Picture):
    """A row a threshold, a column a sample.

    Of style-based generators a threshold is psi, at which styles are drawn together about their mean: at 0 all are
    the mean, below it the opposite of what they were (Karras et al. 2019, figure 8). Of others latents are normal
    within +- it (Brock et al. 2019, figure 2a), and batch normalisation's statistics are gathered anew for each.

    Raises ConfigError for latents that are not normal.
    """

    def __init__(
        self,
        thresholds: Sequence[float] | None = None,  # null: 1, 0.7, 0.5, 0, -0.5 of styles; 2, 1, 0.5, 0.04 of latents
        *,
        columns: Count = 8,
    ) -> None:
        if thresholds is not None and not thresholds:
            raise ConfigError("mode.thresholds=[]: expected one or more, such as [2,1,0.5,0.04].")
        self.thresholds, self.columns = thresholds, columns

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        thresholds = self.thresholds or (STYLE_THRESHOLDS if loaded.has_styles else LATENT_THRESHOLDS)
        log.info("rows from the top: truncated at %s", ", ".join(f"{threshold:g}" for threshold in thresholds))
        rows = [loaded.sample(self.columns, truncation=value, **request.options) for value in thresholds]
        return loaded.draw(torch.cat(rows), self.columns)
