"""Does a conditional model show what it is asked for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.data.labels.words import classes_named
from genlab.metrics.metric import Gathering

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.data import InMemory
    from genlab.metrics.references.reference import Reference


class Accuracy(Gathering):
    """`accuracy`: the share of samples that the extractor's classifier gives the class they were asked for.

    Words ask for the class whose name is among them, all of it; those that name none, or several, are left out.

    Nothing for models that take neither, and for extractors that know no classes. Real images do not reach 1 either:
    the bundled classifier tells 99.3 % of MNIST's test images.
    """

    numbers = ("accuracy",)
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        asked, shown = classes_of(self.condition, reference.data), reference.extractor.labels(self.features)
        if asked is None or shown is None or not (asked >= 0).any():
            return {}
        right = ((shown.cpu() == asked) & self.features.isfinite().all(1).cpu()).double()
        return self.averaged(right[asked >= 0], asked[asked >= 0])

    def averaged(self, right: Tensor, asked: Tensor) -> dict[str, float]:
        """Of samples [N] that are right (1) or not (0), and the classes that they were asked for."""
        return {"accuracy": right.mean().item()}


class BalancedAccuracy(Accuracy):
    """`balanced_accuracy`: the mean of the shares within each class that was asked for, whatever its part of the data.

    Where one class is most of the data, samples of that class alone have a high accuracy; here 1 / classes.
    """

    numbers = ("balanced_accuracy",)

    def averaged(self, right: Tensor, asked: Tensor) -> dict[str, float]:
        shares = [right[asked == label].mean().item() for label in asked.unique()]
        return {"balanced_accuracy": sum(shares) / len(shares)}


def classes_of(asked: Tensor | None, data: InMemory) -> Tensor | None:
    """int64 [N], -1 where no class was asked for; None if none can be."""
    if asked is None or asked.ndim == 1:
        return None if asked is None else asked.cpu()
    if not data.spec.words or not data.class_names:
        return None
    return classes_named(asked.cpu(), data.spec.words, data.class_names)
