"""Does a conditional model show what it is asked for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.metrics.metric import Gathering

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.metrics.references.reference import Reference


class Accuracy(Gathering):
    """`accuracy`: the share of samples that the extractor's classifier gives the class they were asked for.

    Words ask for the class whose name is among them, all of it; those that name none, or several, are left out.

    Nothing for models that take neither, and for extractors that know no classes. Real images do not reach 1 either:
    the bundled classifier tells 99.3 % of MNIST's test images.
    """

    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        data, shown = reference.data, reference.extractor.labels(self.features)
        asked = data.spec.classes_of(self.condition, data.class_names)
        if asked is None or shown is None or not (asked >= 0).any():
            return {}
        asked = asked.cpu()
        right = ((shown.cpu() == asked) & self.features.isfinite().all(1).cpu()).double()
        return self.numbers(right[asked >= 0], asked[asked >= 0])

    def numbers(self, right: Tensor, asked: Tensor) -> dict[str, float]:
        """Of samples [N] that are right (1) or not (0), and the classes that they were asked for."""
        return {"accuracy": right.mean().item()}


class BalancedAccuracy(Accuracy):
    """`balanced_accuracy`: the mean of the shares within each class that was asked for, whatever its part of the data.

    Where one class is most of the data, samples of that class alone have a high accuracy; here 1 / classes.
    """

    def numbers(self, right: Tensor, asked: Tensor) -> dict[str, float]:
        shares = [right[asked == label].mean().item() for label in asked.unique()]
        return {"balanced_accuracy": sum(shares) / len(shares)}
