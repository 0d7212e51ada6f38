"""The styles and the noise of style-based generators."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.core.random import mix, reseed_global
from genlab.core.types import Count, Side
from genlab.models.layer_contract import has_noise, set_noise
from genlab.pictures.sheet import sheet
from genlab.sampling.arithmetic import blank_cells
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Picture, Request

GROUP_NAMES = ("coarse", "middle", "fine")
NoiseKind = Literal["fixed", "random", "none"]
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
        rows: Side = 2,  # samples on the left
        columns: Side = 6,  # samples along the top
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
        for name, (first, end) in zip(GROUP_NAMES, self.layer_groups(styles.shape[1]), strict=True):
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


class Noise(Picture):
    """Draw each sample without noise, with fixed noise and with random noise: Karras et al. 2019, figures 4 and 5.

    The last column shows the standard deviation of each pixel over random noise, white where it is largest.
    Raises ConfigError for a generator without noise.
    """

    def __init__(
        self,
        *,
        rows: Side = 4,  # samples
        random: Count = 4,  # columns with noise of their own
        draws: Count = 100,  # of noise for the deviation, as in the paper
    ) -> None:
        self.rows, self.random, self.draws = rows, random, draws

    def check(self, loaded: Loaded, request: Request) -> None:
        super().check(loaded, request)
        require_noise(loaded, "mode=noise")

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        log.info("columns: no noise, fixed noise, random noise x %d, deviation over random noise", self.random)
        z, labels = (
            loaded.latent(self.rows, seed=request.seed),
            loaded.conditions_of(range(self.rows), **request.options),
        )
        columns = [self.generate_with(loaded, z, labels, mode) for mode in ("none", "fixed")]
        columns += [
            self.generate_with(loaded, z, labels, "random", f"column {number}") for number in range(self.random)
        ]
        columns.append(deviation_pictures(self.deviation(loaded, z, labels)))
        return loaded.draw(torch.stack(columns, 1).flatten(0, 1), len(columns))

    def generate_with(self, loaded: Loaded, z: Tensor, labels: Tensor | None, mode: NoiseKind, *words: str) -> Tensor:
        with using_noise(loaded, mode, *words):
            return loaded.generate(z, classes=labels)

    def deviation(self, loaded: Loaded, z: Tensor, labels: Tensor | None) -> Tensor:
        """Return the standard deviation [N, C, H, W] of each sample's pixels over random noise."""
        rows = []
        for number in range(len(z)):
            repeated = None if labels is None else labels[number : number + 1].expand(self.draws, *labels.shape[1:])
            images = self.generate_with(
                loaded, z[number].expand(self.draws, *z.shape[1:]), repeated, "random", "deviation"
            )
            rows.append(images.std(0, correction=0))
        return torch.stack(rows)


def deviation_pictures(deviation: Tensor) -> Tensor:
    """Return deviations [N, C, H, W] as grey images in [-1, 1], white at the largest over all channels."""
    grey = deviation.square().mean(1, keepdim=True).sqrt()
    log.info("white: a deviation of %.3g, of values from -1 to 1", grey.max())
    return (grey / grey.max().clamp(min=1e-8) * 2 - 1).expand_as(deviation)


@contextmanager
def using_noise(loaded: Loaded, mode: NoiseKind, *words: str) -> Iterator[None]:
    """Set the generator's noise for a while; random noise depends on the run's seed and `words`."""
    run = loaded.run
    cuda = [run.device] if run.device.type == "cuda" else []
    with run.sampling() as generator, torch.random.fork_rng(cuda):
        reseed_global(mix(run.seed, "noise", *words), run.device)
        set_noise(generator, mode)
        try:
            yield
        finally:
            set_noise(generator, "training")


@contextmanager
def truncating(loaded: Loaded, layers: int | None) -> Iterator[None]:
    """Let truncation move the styles of the first `layers` alone for a while; None: of those that the model chooses."""
    if layers is None:
        yield
        return
    with loaded.run.sampling() as generator:
        own, generator.truncated_layers = generator.truncated_layers, layers
        try:
            yield
        finally:
            generator.truncated_layers = own


def require_noise(loaded: Loaded, what: str) -> None:
    with loaded.run.sampling() as generator:
        if not has_noise(generator):
            raise ConfigError(
                f"{what}: this model's generator ({loaded.run.run_dir}) adds no noise to its maps, as those of "
                "model=stylegan and model=stylegan2 do."
            )
