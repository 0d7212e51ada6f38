"""Does a conditional model show what it is asked for?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.metrics.metric import Gathering

if TYPE_CHECKING:
    from genlab.metrics.reference import Reference


class Accuracy(Gathering):
    """`accuracy`: the share of samples that the extractor's classifier gives the class they were asked for.

    Nothing for models that take no classes, and for extractors that know none. Real images do not reach 1 either: the
    bundled classifier tells 99.3 % of MNIST's test images.
    """

    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        asked, shown = self.condition, reference.extractor.labels(self.features)
        if asked is None or asked.ndim > 1 or shown is None:
            return {}
        right = (shown == asked.to(shown.device)) & self.features.isfinite().all(1)
        return {"accuracy": right.sum().item() / len(right)}
