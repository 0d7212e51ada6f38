"""Few labels for many images, for semi-supervised learning."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import generator


def keep_few_labels(labels: Tensor | None, labelled: int, seed: int, names: Sequence[str] = ()) -> Tensor:
    """Return `labelled` of the labels [N], the classes as equally as can be, and -1 in place of the others.

    Raises ConfigError without classes, or if one of them has too few images.
    """
    if labels is None or labels.ndim != 1 or labels.is_floating_point():
        raise ConfigError(f"data.labelled={labelled}: these data have no classes; set data.labelled=null.")
    kept = torch.full_like(labels, -1)
    classes = int(labels.max()) + 1
    for index in range(classes):
        wanted = (labelled + classes - 1 - index) // classes  # the first classes take what is left over
        rows = (labels == index).nonzero().squeeze(1)
        if not 0 < wanted <= len(rows):
            name = names[index] if names else index
            raise ConfigError(
                f"data.labelled={labelled}: takes {wanted} of the {len(rows)} images of class {name}; "
                f"expected {classes} (one a class) to {len(labels)} in all. Set another number, or null for all."
            )
        order = torch.randperm(len(rows), generator=generator(seed, "labelled", index))
        kept[rows[order[:wanted]]] = index
    return kept
