"""Truncation, which trades variety for fidelity."""

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

LATENT_THRESHOLDS = (2.0, 1.0, 0.5, 0.04)
STYLE_THRESHOLDS = (1.0, 0.7, 0.5, 0.0, -0.5)  # psi
log = logging.getLogger(__name__)


class Truncation(Picture):
    """Draw the same samples at several thresholds, a row each.

    For style-based generators a threshold is psi, which scales styles about their mean: at 0 all are the mean, below 0
    they are mirrored at it (Karras et al. 2019, figure 8). Other models draw normal latents within +- the threshold
    (Brock et al. 2019, figure 2a), with batch statistics computed anew for each.

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
