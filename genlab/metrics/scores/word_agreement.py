"""Word agreement: do samples look as their words ask, where that can be measured?"""

from genlab.core.types import Amount
from genlab.core.words import Words, bags_of
from genlab.metrics.metric import ImageMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel


class Described(ImageMetric):
    """`described`: the share of samples in which the data's rule finds all words that were asked for, and no others.

    `described_WORD`: the share of samples asked for the word in which it is found. Real images have 1 by definition.
    Only for data whose words can be measured, such as data=mnist_words.
    """

    uses_split = False
    numbers = ("described*",)
    higher_is_better = True

    def __init__(self, images: Amount = 10_000) -> None:  # at most; later ones are left out
        super().__init__(images)

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        if reference.data.rule is None:
            return f"it measures words in pictures, and {reference.name} has no rule for that: data=mnist_words has"
        if trained is None or not trained.model.conditional:
            return "it needs a model that is told words: choose model=text_gan"
        return None

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the shares; 0 for a generator that diverged."""
        rule = reference.data.rule
        known = reference.data.spec.require(Words, "metrics.metrics.described: the data have no words.").vocabulary
        numbers = [1 + known.index(word) for word in rule.words]
        asked = bags_of(self.condition.cpu(), len(known))[:, numbers]
        measured = rule.measure(self.images.cpu())
        finite = float(self.finite)
        found = {"described": finite * (measured == asked).all(1).double().mean().item()}
        for index, word in enumerate(rule.words):
            if asked[:, index].any():
                found[f"described_{word}"] = finite * measured[asked[:, index], index].double().mean().item()
        return found
