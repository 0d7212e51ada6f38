"""Style mixing: coarse, middle and fine styles of one sample in another."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.pictures.sheet import sheet, to_uint8
from genlab.sampling.arithmetic import blank_cells
from genlab.sampling.mode import Picture, Request

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.sampling.loaded_run import Loaded

NAMES = ("coarse", "middle", "fine")
log = logging.getLogger(__name__)


class StyleMixing(Picture):
    """Draw a table of samples on the left with styles of the samples along the top: Karras et al. 2019, figure 3.

    Three groups of rows repeat the samples on the left with coarse, middle and fine styles from the top. The paper
    cuts at 16 x 16 and 64 x 64 pixels, after 4 and 8 of 18 layers; thirds suit networks of any size.

    Raises ConfigError for a generator without styles, or cuts that leave nothing between them.
    """

    def __init__(
        self,
        *,
        rows: Count = 2,  # samples on the left
        columns: Count = 6,  # samples along the top
        cuts: tuple[Count, Count] | None = None,  # the first layers that are middle, and fine; null: thirds
        truncation: float | None = None,  # psi of all samples
    ) -> None:
        self.rows, self.columns, self.cuts, self.truncation = rows, columns, cuts, truncation

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        loaded.require_styles("mode=style_mixing")

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        count = self.rows + self.columns
        z, condition = loaded.latent(count, seed=request.seed), loaded.conditions_of(range(count), **request.options)
        styles = loaded.styles(z, classes=condition, truncation=self.truncation)
        left, top = to_uint8(loaded.synthesise(styles)).split([self.rows, self.columns])
        cells = [*blank_cells(left, 1), *top]
        log.info("samples 0 to %d are on the left, %d to %d along the top", self.rows - 1, self.rows, count - 1)
        for name, (first, end) in zip(NAMES, self.layer_groups(styles.shape[1]), strict=True):
            log.info(
                "the next %d rows have %s styles (layers %d to %d) of the top row", self.rows, name, first, end - 1
            )
            mixed = to_uint8(loaded.synthesise(mix_styles(*styles.split([self.rows, self.columns]), first, end)))
            for image, row in zip(left, mixed.split(self.columns), strict=True):
                cells += [image, *row]
        return sheet(torch.stack(cells), 1 + self.columns)

    def layer_groups(self, layers: int) -> list[tuple[int, int]]:
        """Return the half-open ranges of layers with coarse, middle and fine styles."""
        coarse, middle = self.cuts or (round(layers / 3), round(layers * 2 / 3))
        if not 0 < coarse < middle < layers:
            raise ConfigError(
                f"mode.cuts=[{coarse},{middle}]: this generator has {layers} layers; expected two rising numbers from "
                f"1 to {layers - 1}."
            )
        return [(0, coarse), (coarse, middle), (middle, layers)]


def mix_styles(left: Tensor, top: Tensor, first: int, end: int) -> Tensor:
    """Return styles [R * C, L, W]: those of `left` [R, L, W], with layers `first:end` from `top` [C, L, W]."""
    mixed = left[:, None].repeat(1, len(top), 1, 1)
    mixed[:, :, first:end] = top[None, :, first:end]
    return mixed.flatten(0, 1)
