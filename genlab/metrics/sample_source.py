"""Generated images, and how metrics are shown them: by one process, or by all ranks in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.core import distributed
from genlab.core.pixels import to_uint8
from genlab.core.spec import Spec
from genlab.metrics.extractors.extractor import Extractor
from genlab.metrics.extractors.measured_images import samples_as_measured
from genlab.metrics.trained_model import Trained

Conditions = Callable[[int, int], "Tensor | None"]
Chunk = tuple[int, int]  # (start, count) of rows of the stream


@dataclass(frozen=True)
class Source:
    """A fixed stream of generated images, and where in training it comes from."""

    sample: Callable[[int, int], Tensor]  # (start, count) -> float [count, C, H, W] in [-1, 1], or points [count, D]
    conditions: Conditions = lambda start, count: None  # what those were asked to show
    seed: int = 0  # of the stream
    position: int = 0  # images seen in training
    ema: bool = False  # does the stream come from the averaged generator?
    trained: Trained | None = None  # what makes it: for metrics that ask for more

    def again(self, rows: list[int], spec: Spec) -> Tensor:
        """uint8 [N, C, H, W], cropped: single images of the stream, which need not have been kept."""
        return torch.cat([to_uint8(spec.crop(self.sample(row, 1))) for row in rows]).cpu()


class Seen(NamedTuple):
    """Some rows of the stream."""

    images: Tensor  # as they would be saved, in [-1, 1], cropped; nan where they are not finite
    condition: Tensor | None  # what they were asked to show
    features: Tensor | None  # without an extractor None


def shown(
    source: Source,
    chunks: list[Chunk],
    spec: Spec,
    extractor: Extractor | None,
    *,
    shared: bool = False,  # among ranks, each of which calls this: a chunk each at a time
) -> Iterator[Seen]:
    """Every chunk in order, on every rank. A chunk is made by one rank as one process makes it: to the same bits."""
    ranks = distributed.world_size() if shared else 1
    for first in range(0, len(chunks), ranks):
        turn = chunks[first : first + ranks]
        everyone = turn + turn[-1:] * (ranks - len(turn))  # who has nothing left to do repeats the last
        mine = seen(source, everyone[distributed.rank() if shared else 0], spec, extractor)
        yield from gathered(mine, [count for _, count in everyone])[: len(turn)] if shared else [mine]


def gathered(mine: Seen, counts: list[int]) -> list[Seen]:
    """Of each rank."""
    parts = ([None] * len(counts) if part is None else distributed.gather_rows(part, counts) for part in mine)
    return [Seen(*rows) for rows in zip(*parts, strict=True)]


@torch.no_grad()
def seen(source: Source, chunk: Chunk, spec: Spec, extractor: Extractor | None) -> Seen:
    """Samples that are not finite, which 8 bit would turn into a colour, are nan, and so are their features."""
    samples = source.sample(*chunk)
    broken = ~samples.isfinite().flatten(1).all(1)
    images = masked(samples_as_measured(samples, spec), broken)
    return Seen(images, source.conditions(*chunk), masked(extractor(images), broken) if extractor else None)


def masked(rows: Tensor, broken: Tensor) -> Tensor:
    """[N, ...] with nan in the rows that `broken` [N] names."""
    return rows.masked_fill(broken.to(rows.device).view(-1, *[1] * (rows.ndim - 1)), torch.nan)
