"""Sums of concepts: Radford et al. 2016, section 6.3.2."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.core.random import Draws
from genlab.core.types import Count, NonNegative, Whole
from genlab.metrics.extractors.extractor import Extractor
from genlab.models.latent_contract import is_plain_vector
from genlab.pictures.sheet import GREY, sheet
from genlab.sampling.attributes import samples_showing
from genlab.sampling.loaded_run import Loaded
from genlab.sampling.mode import Picture, Request

Concepts = Sequence[Whole] | Sequence[Sequence[Whole] | str]
log = logging.getLogger(__name__)


class Arithmetic(Picture):
    """Add and subtract concepts; a concept is the mean latent of some samples, numbered as in mode=grid.

    Attributes by name, `glasses+no_hat`, stand for the first samples in which the extractor's classifier sees them.
    Each row shows a concept: its samples, then their mean. The last row shows the result, then the result under a
    little uniform noise. A mean has the class of its concept's first sample, the result that of the first concept.
    The paper takes three samples a concept; the sum of three such means is as long as any normal latent.

    Raises ConfigError without a concept, or for latents that cannot be added.
    """

    def __init__(
        self,
        extractor: Extractor | None = None,  # tells the attributes of samples, where these have names
        *,
        plus: Concepts = ((0, 1, 2), (6, 7, 8)),  # sample numbers, or attributes, of each concept
        minus: Concepts = ((3, 4, 5),),
        members: Count = 3,  # samples of a concept that is given by name
        others: Count = 8,  # noisy versions of the result
        noise: NonNegative = 0.25,  # largest change of each dimension, up or down
    ) -> None:
        self.plus, self.minus = parse_concepts(plus), parse_concepts(minus)
        self.extractor, self.members, self.others, self.noise = extractor, members, others, noise
        if not self.plus:
            raise ConfigError("mode.plus=[]: expected one list of sample numbers a concept: mode.plus=[[0,1,2]].")

    def draw(self, loaded: Loaded, request: Request) -> Tensor:
        members = [self.numbers_of(concept, loaded, request) for concept in (*self.plus, *self.minus)]
        samples = 1 + max(max(concept) for concept in members)
        z, images = loaded.latent(samples, seed=request.seed), loaded.sample(samples, **request.options)
        if not is_plain_vector(loaded.run.model.latent, z):
            raise ConfigError("mode=arithmetic: this model's latents hold numbers of codes or generators: no sum.")
        means = torch.stack([z[concept].mean(0) for concept in members])
        firsts = [concept[0] for concept in members]
        pictures = self.generate_like(loaded, request, means, firsts)
        results = self.generate_like(loaded, request, self.results(means, request), firsts[:1] * (1 + self.others))
        self.log_rows(members)
        return concept_sheet(
            [torch.cat([images[rows], mean[None]]) for rows, mean in zip(members, pictures, strict=True)], results
        )

    def numbers_of(self, concept: list[int] | str, loaded: Loaded, request: Request) -> list[int]:
        """Return the numbers of a concept's samples."""
        if not isinstance(concept, str):
            return concept
        if self.extractor is None:
            raise ConfigError(f"mode.plus or mode.minus={concept}: attributes need an extractor that tells them.")
        return samples_showing(loaded, request, self.extractor, text=concept, count=self.members)

    def results(self, means: Tensor, request: Request) -> Tensor:
        """Return the latents [1 + others, L] of the result, without noise first."""
        total = means[: len(self.plus)].sum(0) - means[len(self.plus) :].sum(0)
        draws = Draws((request.seed or 0, "arithmetic"), self.others, 0, self.others, means.device, means.dtype)
        noise = self.noise * (2 * draws.uniform("noise", means.shape[1]) - 1)
        return torch.cat([total[None], total + noise])

    def generate_like(self, loaded: Loaded, request: Request, z: Tensor, like: list[int]) -> Tensor:
        return loaded.generate(z, classes=loaded.conditions_of(like, **request.options))

    def log_rows(self, members: list[list[int]]) -> None:
        signs = ["+"] * len(self.plus) + ["-"] * len(self.minus)
        rows = zip(signs, [*self.plus, *self.minus], members, strict=True)
        for row, (sign, concept, numbers) in enumerate(rows, start=1):
            name = f"{concept}, " if isinstance(concept, str) else ""
            found = ", ".join(map(str, numbers))
            log.info("row %d: %s %sthe mean of samples %s (its last picture)", row, sign, name, found)
        log.info("last row: the result, then the result under noise")


def parse_concepts(given: Concepts) -> list[list[int] | str]:
    """Return a list of concepts; a plain list of numbers is one concept. Raises ConfigError for an empty one."""
    if given and not isinstance(given[0], Sequence):
        given = [given]
    if not all(given):
        raise ConfigError(f"mode.plus or mode.minus={given}: a concept needs one sample or more, as in [[0,1,2]].")
    return [concept if isinstance(concept, str) else list(concept) for concept in given]


def concept_sheet(rows: list[Tensor], results: Tensor) -> Tensor:
    """Return a sheet with a row for each concept [n, C, H, W], its mean in a common column, and the results below."""
    columns = max(len(results), *map(len, rows))
    widest = max(map(len, rows))
    cells = []
    for row in rows:
        *samples, mean = to_uint8(row)
        cells += [*samples, *blank_cells(row, widest - len(row)), mean, *blank_cells(row, columns - widest)]
    return sheet(torch.stack([*cells, *to_uint8(results), *blank_cells(results, columns - len(results))]), columns)


def blank_cells(like: Tensor, count: int) -> list[Tensor]:
    return [torch.full(like.shape[1:], GREY, dtype=torch.uint8)] * count
