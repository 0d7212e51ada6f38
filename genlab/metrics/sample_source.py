"""Source of generated images for metrics, made by one process or by all ranks in turns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.pixels import to_uint8
from genlab.core.spec import Spec
from genlab.metrics.extractors.extractor import Extractor, samples_as_measured
from genlab.metrics.trained_model import TrainedModel

Conditions = Callable[[int, int], "Tensor | None"]
Chunk = tuple[int, int]  # (start, count) of rows of the stream


@dataclass(frozen=True)
class SampleSource:
    """A fixed stream of generated images, and the position in training it comes from."""

    sample: Callable[[int, int], Tensor]  # (start, count) -> float [count, C, H, W] in [-1, 1], or points [count, D]
    conditions: Conditions = lambda start, count: None  # (start, count) -> their conditions
    seed: int = 0  # of the stream
    position: int = 0  # images shown in training
    ema: bool = False  # does the stream come from the averaged generator?
    own_data: bool = True  # are the real images those that the model was trained with?
    trained: TrainedModel | None = None  # the model behind it, for metrics that ask it for more

    def regenerate(self, rows: list[int], spec: Spec) -> Tensor:
        """Generate single images of the stream again: uint8 [N, C, H, W], cropped."""
        return torch.cat([to_uint8(spec.crop(self.sample(row, 1))) for row in rows]).cpu()


class Samples(NamedTuple):
    """Consecutive rows of the stream."""

    images: Tensor  # as they would be saved, in [-1, 1], cropped; nan where they are not finite
    condition: Tensor | None  # None for unconditional models
    features: Tensor | None  # None without an extractor


def iterate_samples(
    source: SampleSource,
    chunks: list[Chunk],
    spec: Spec,
    extractor: Extractor | None,
    *,
    shared: bool = False,  # do all ranks call this? Each then makes one chunk at a time
) -> Iterator[Samples]:
    """Yield every chunk in order, on every rank. Ranks that share the work make the same bits as one process."""
    ranks = distributed.world_size() if shared else 1
    for first in range(0, len(chunks), ranks):
        turn = chunks[first : first + ranks]
        padded = turn + turn[-1:] * (ranks - len(turn))  # ranks without a chunk repeat the last one
        mine = make_samples(source, padded[distributed.rank() if shared else 0], spec, extractor)
        yield from gather_samples(mine, [count for _, count in padded])[: len(turn)] if shared else [mine]


def gather_samples(mine: Samples, counts: list[int]) -> list[Samples]:
    """Gather the samples of all ranks, in the order of ranks."""
    parts = ([None] * len(counts) if part is None else distributed.gather_rows(part, counts) for part in mine)
    return [Samples(*rows) for rows in zip(*parts, strict=True)]


@torch.no_grad()
def make_samples(source: SampleSource, chunk: Chunk, spec: Spec, extractor: Extractor | None) -> Samples:
    """Make a chunk. Non-finite samples, which 8 bit would turn into a colour, are nan, and so are their features."""
    samples = source.sample(*chunk)
    broken = ~samples.isfinite().flatten(1).all(1)
    images = mask_rows(samples_as_measured(samples, spec), broken)
    return Samples(images, source.conditions(*chunk), mask_rows(extractor(images), broken) if extractor else None)


def mask_rows(rows: Tensor, broken: Tensor) -> Tensor:
    """Return [N, ...] with nan in the rows where `broken` [N] is true."""
    return rows.masked_fill(broken.to(rows.device).view(-1, *[1] * (rows.ndim - 1)), torch.nan)
