"""Unpaired data made from a set of pairs, for models that learn without pairs."""

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.pixels import to_uint8
from genlab.data.dataset import InMemory, Split
from genlab.data.label_kinds import are_pictures


class UnpairedFromPairs(InMemory):
    """The images of one half of a set of pairs and, as the `other` kind, the sources of the other half.

    Sources are those of the pairs, or made by `data.of.task`, once, and kept in memory. The test split stays paired, to
    measure with.

    Raises ConfigError for images without sources, and for label maps.
    """

    def __init__(
        self,
        of: InMemory,  # the pairs
    ) -> None:
        require_pairs(of)
        half, options = len(of.pool.images) // 2, {"padding": of.padding, "flip": of.flip, "crop": of.crop}
        test = None if of.test is None else Split(source_pictures(of, of.test, len(of.test.images)))
        other = InMemory(Split(source_pictures(of, of.pool, half)), test=test, name=f"{of.name}_sources", **options)
        labels = None if are_pictures(of.pool.labels) else of.label_kind
        super().__init__(
            without_sources(Split(*(None if part is None else part[half:] for part in of.pool))),
            test=without_sources(of.test),
            holdout=without_sources(of.holdout),
            other=other,
            condition=labels,
            aligned=test is not None,
            name=f"{of.name}_halves",
            **options,
        )
        self.notes, self.value_range, self.source_range = of.notes, of.value_range, of.source_range


def require_pairs(of: InMemory) -> None:
    if not of.is_paired or of.spec.require_source().classes:
        raise ConfigError(
            "data.of: expected pairs of pictures, to be taken apart. Set data.of.task=edges (or grayscale, inpainting, "
            "...), or take data=pairs there: data@data.of=pairs data.of.root=PATH."
        )
    if len(of.pool.images) < 2:
        raise ConfigError("data.of: one pair cannot be taken apart. Take more of them.")


def source_pictures(of: InMemory, split: Split, count: int) -> Tensor:
    """Return the sources of the first rows, uint8 [count, C, H, W]."""
    return to_uint8(of.conditions(split, 0, count))


def without_sources(split: Split | None) -> Split | None:
    """Return the split without sources; classes, which scores may use, stay."""
    return split._replace(labels=None) if split and are_pictures(split.labels) else split
