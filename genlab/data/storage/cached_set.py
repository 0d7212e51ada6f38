"""Data sets whose decoded pixels lie in the cache."""

import hashlib
from typing import Any

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.data.dataset import InMemory, Split
from genlab.data.notes import Notes
from genlab.data.storage.cache import Table
from genlab.data.storage.depth import Range


class CachedSplit(Split):
    """Rows of a table, identified by its key, so that fingerprints need to read no pixel."""

    key: str | None = None

    def fingerprint(self) -> str:
        return self.key or super().fingerprint()  # changed copies have no key

    def crop_centre(self, size: int) -> "CachedSplit":
        split = super().crop_centre(size)
        split.key = self.key and hashlib.sha256(f"{self.key} {size}".encode()).hexdigest()
        return split


class CachedSet(InMemory):
    """A data set from a table of training rows followed by test rows, if there are any.

    `table.facts["splits"]` counts them. Raises ConfigError if `limit` or `holdout` leave too few images.
    """

    def __init__(
        self,
        table: Table,
        *,
        name: str,
        limit: int | None = None,  # train on the first N images only
        holdout: int = 0,  # keep the last N training images from training
        notes: Notes = Notes(),  # noqa: B008 -- it is not changed
        value_range: Range | None = None,  # values of the files that are black and white; None: by depth
        source_range: Range | None = None,  # the same of source pictures; None: as of the images
        **options: Any,  # of InMemory
    ) -> None:
        counts = table.facts["splits"]
        total, test_count = counts["train"], counts.get("test", 0)
        kept, left = training_rows(total, limit, holdout, name)
        held_out = table_split(table, left, total) if holdout else None
        test = table_split(table, total, total + test_count) if test_count else None
        train = table_split(table, 0, kept)
        if train.labels is None:
            options["class_names"] = ()  # no picture that is trained on has a class
        super().__init__(train, test=test, holdout=held_out, layout="NCHW", name=name, **options)
        self.notes, self.value_range, self.source_range = notes, value_range, source_range or value_range


def training_rows(total: int, limit: int | None, holdout: int, name: str) -> tuple[int, int]:
    """Return the number of images to train on, and the first held-out row, which `limit` never reaches."""
    left = total - holdout
    if left < (limit or 1):
        raise ConfigError(
            f"data.limit={limit} data.holdout={holdout}: {max(left, 0)} of the {total} training images of {name} "
            "are left to train on; lower one of the two."
        )
    return left if limit is None else limit, left


def table_split(table: Table, start: int, stop: int) -> CachedSplit:
    split = CachedSplit(table.images[start:stop], labels_or_none(table.labels, start, stop))
    split.key = hashlib.sha256(f"{table.key} {start}:{stop}".encode()).hexdigest()
    return split


def labels_or_none(labels: Tensor | None, start: int, stop: int) -> Tensor | None:
    """Return the labels of these rows; None if all are -1."""
    if labels is None:
        return None
    part = labels[start:stop]
    return part if part.ndim > 1 or bool((part >= 0).any()) else None
