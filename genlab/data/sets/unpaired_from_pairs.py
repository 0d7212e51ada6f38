"""Pairs taken apart, so that no picture's partner is left: bundled data for models that learn without pairs."""

from __future__ import annotations

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.data.dataset import InMemory, Split, are_pictures


class Halves(InMemory):
    """The images of one half of a set of pairs and, as the `other` kind, the sources of the other half.

    Sources are what lies beside images, or what `data.of.task` makes of them; these are made once, at the start, and
    lie in memory. The test split stays whole: its rows are partners, to measure with.

    Raises ConfigError for images without sources, and for label maps.
    """

    def __init__(
        self,
        of: InMemory,  # the pairs
    ) -> None:
        refuse_what_is_no_pair(of)
        half, options = len(of.pool.images) // 2, {"padding": of.padding, "flip": of.flip, "crop": of.crop}
        test = None if of.test is None else Split(sources(of, of.test, len(of.test.images)))
        other = InMemory(Split(sources(of, of.pool, half)), test=test, name=f"{of.name}_sources", **options)
        super().__init__(
            alone(Split(*(None if part is None else part[half:] for part in of.pool))),
            test=alone(of.test),
            holdout=alone(of.holdout),
            other=other,
            aligned=test is not None,
            name=f"{of.name}_halves",
            **options,
        )


def refuse_what_is_no_pair(of: InMemory) -> None:
    if not of.spec.source or of.other or of.spec.source_classes:
        raise ConfigError(
            "data.of: expected pairs of pictures, to be taken apart. Set data.of.task=edges (or grayscale, inpainting, "
            "...), or take data=pairs there: data@data.of=pairs data.of.root=PATH."
        )
    if len(of.pool.images) < 2:
        raise ConfigError("data.of: one pair cannot be taken apart. Take more of them.")


def sources(of: InMemory, split: Split, count: int) -> Tensor:
    """Of the first rows: uint8 [count, C, H, W]."""
    return to_uint8(of.sources(split, 0, count))


def alone(split: Split | None) -> Split | None:
    """Images and perhaps their classes, which scores may ask for."""
    return split._replace(labels=None) if split and are_pictures(split.labels) else split
