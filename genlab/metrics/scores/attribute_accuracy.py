"""Attribute accuracy: do samples show the attributes that they were asked for, as a classifier sees them?"""

from torch import Tensor

from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference


class AttributeAccuracy(FeatureMetric):
    """`attribute_accuracy`: the mean over attributes of `attribute_accuracy_NAME`, the share of samples that show the
    attribute if they were asked for it, and do not if they were not. `all_attributes`: the share of samples that are
    right about every one.

    The extractor's classifier tells what samples show; of real images the bundled one is right about 99.5 %. Words ask
    for an attribute by all words of its name. No number for models that are not told the attributes that it tells.
    """

    uses_split = False
    numbers = ("attribute_accuracy", "all_attributes", "attribute_accuracy_*")
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the shares; samples that are not finite are wrong."""
        asked = asked_attributes(reference, self.condition)
        if asked is None:
            return {}
        right = (shown_attributes(reference, self.features) == asked) & self.features.isfinite().all(1, True).cpu()
        names = (f"attribute_accuracy_{name}" for name in reference.extractor.attribute_names)
        shares = right.double().mean(0).tolist()
        found = {"attribute_accuracy": sum(shares) / len(shares), "all_attributes": right.all(1).double().mean().item()}
        return found | dict(zip(names, shares, strict=True))


def shown_attributes(reference: Reference, features: Tensor) -> Tensor:
    """Return which attributes the extractor's classifier finds in images, bool [N, K], from their features."""
    return (reference.extractor.attribute_logits(features) > 0).cpu()


def asked_attributes(reference: Reference, condition: Tensor | None) -> Tensor | None:
    """Return which of the extractor's attributes a model was asked for, bool [N, K]; None if it was told none."""
    kind, names = reference.data.spec.condition, reference.extractor.attribute_names
    asked = kind.attributes_of(condition, names) if names and kind is not None and condition is not None else None
    return None if asked is None else asked.cpu()
