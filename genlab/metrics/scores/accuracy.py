"""Accuracy of conditional models: do samples show the class that they were asked for?"""

from torch import Tensor

from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference


class Accuracy(FeatureMetric):
    """`accuracy`: the share of samples that the extractor's classifier assigns to the class they were asked for.

    Words ask for the class whose full name is among them; samples whose words name none, or several, are left out.
    No number for models without classes or words, and for extractors that know no classes. Real images do not reach 1
    either: the bundled classifier is right about 99.7 % of MNIST's test images.
    """

    uses_split = False
    numbers = ("accuracy",)
    higher_is_better = True

    def compute(self, reference: Reference) -> dict[str, float]:
        data, predicted = reference.data, reference.extractor.labels(self.features)
        asked = data.spec.classes_of(self.condition, data.class_names)
        if asked is None or predicted is None or not (asked >= 0).any():
            return {}
        asked = asked.cpu()
        right = ((predicted.cpu() == asked) & self.features.isfinite().all(1).cpu()).double()
        return self.score(right[asked >= 0], asked[asked >= 0])

    def score(self, right: Tensor, asked: Tensor) -> dict[str, float]:
        """Return the number from samples [N], right (1) or wrong (0), and the classes that they were asked for."""
        return {"accuracy": right.mean().item()}


class BalancedAccuracy(Accuracy):
    """`balanced_accuracy`: the mean over classes of the accuracy within each class, however rare it is.

    If one class is most of the data, samples of that class alone have a high accuracy, but score 1 / classes here.
    """

    numbers = ("balanced_accuracy",)

    def score(self, right: Tensor, asked: Tensor) -> dict[str, float]:
        shares = [right[asked == label].mean().item() for label in asked.unique()]
        return {"balanced_accuracy": sum(shares) / len(shares)}
