"""Data sets whose decoded pixels lie in the cache."""

from __future__ import annotations

import hashlib
from typing import Any

from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.data.dataset import InMemory, Split
from genlab.data.storage.cache import Table


class StoredSplit(Split):
    """Rows known by where they come from, so that no pixel is read to tell one data set from another."""

    key: str | None = None

    def fingerprint(self) -> str:
        return self.key or super().fingerprint()  # a changed copy has no key

    def centred(self, size: int) -> StoredSplit:
        split = super().centred(size)
        split.key = self.key and hashlib.sha256(f"{self.key} {size}".encode()).hexdigest()
        return split


class Stored(InMemory):
    """A table that holds the training rows and then, if there are any, the test rows.

    `table.facts["splits"]` counts them. Raises ConfigError if `limit` or `holdout` leave too few images.
    """

    def __init__(
        self,
        table: Table,
        *,
        name: str,
        limit: int | None = None,  # train on the first N images only
        holdout: int = 0,  # keep the last N training images from training
        **options: Any,  # of InMemory
    ) -> None:
        counts = table.facts["splits"]
        total, tested = counts["train"], counts.get("test", 0)
        kept, left = training_rows(total, limit, holdout, name)
        held = rows(table, left, total) if holdout else None
        test = rows(table, total, total + tested) if tested else None
        super().__init__(rows(table, 0, kept), test=test, holdout=held, name=name, **options)


def training_rows(total: int, limit: int | None, holdout: int, name: str) -> tuple[int, int]:
    """Images to train on, and where the held out ones begin, which `limit` never reaches."""
    left = total - holdout
    if left < (limit or 1):
        raise ConfigError(
            f"data.limit={limit} data.holdout={holdout}: {max(left, 0)} of the {total} training images of {name} "
            "are left to train on; lower one of the two."
        )
    return left if limit is None else limit, left


def rows(table: Table, start: int, stop: int) -> StoredSplit:
    split = StoredSplit(table.images[start:stop], known(table.labels, start, stop))
    split.key = hashlib.sha256(f"{table.key} {start}:{stop}".encode()).hexdigest()
    return split


def known(labels: Tensor | None, start: int, stop: int) -> Tensor | None:
    """The labels of these rows; None if there is none but -1."""
    if labels is None:
        return None
    part = labels[start:stop]
    return part if part.ndim > 1 or bool((part >= 0).any()) else None
