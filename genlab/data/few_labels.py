"""Few labels for many images, to learn from half supervised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from genlab.core.errors import ConfigError
from genlab.core.random import generator

if TYPE_CHECKING:
    from genlab.data.dataset import Split


def with_few_labels(split: Split, labelled: int, seed: int) -> Split:
    """Return `split` with `labelled` of its labels, the classes as equally as can be, and -1 for the others.

    Raises ConfigError without classes, or if one of them has too few images.
    """
    if split.labels is None or split.labels.ndim != 1 or split.labels.is_floating_point():
        raise ConfigError(f"data.labelled={labelled}: these data have no classes; set data.labelled=null.")
    labels = torch.full_like(split.labels, -1)
    classes = int(split.labels.max()) + 1
    for index in range(classes):
        wanted = (labelled + classes - 1 - index) // classes  # the first classes take what is left over
        rows = (split.labels == index).nonzero().squeeze(1)
        if not 0 < wanted <= len(rows):
            raise ConfigError(
                f"data.labelled={labelled}: takes {wanted} of the {len(rows)} images of class {index}; "
                f"expected {classes} (one a class) to {len(split.labels)} in all. Set another number, or null for all."
            )
        order = torch.randperm(len(rows), generator=generator(seed, "labelled", index))
        labels[rows[order[:wanted]]] = index
    return split._replace(labels=labels)
