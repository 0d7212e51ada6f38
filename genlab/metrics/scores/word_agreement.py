"""Do samples look as words ask them to, where that can be measured?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.core.types import Count
from genlab.data.labels.words import bags_of
from genlab.metrics.metric import Looking

if TYPE_CHECKING:
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.trained_model import Trained


class Described(Looking):
    """`described`: the share of samples in which the data's own rule sees all that words ask for, and no more.

    `described_WORD`: of those that were asked for the word, the share in which it is seen. Of real images both are 1
    by definition. Only for data whose words can be measured, such as data=mnist_words.
    """

    numbers = ("described*",)
    higher_is_better = True

    def __init__(self, images: Count = 10_000) -> None:  # at most; those after them are not looked at
        super().__init__(images)

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        if reference.data.rule is None:
            return f"it measures words in pictures, and {reference.name} has no rule for that: data=mnist_words has"
        if not getattr(getattr(trained, "model", None), "conditional", False):
            return "it needs a model that is told words: choose model=text_gan"
        return None

    def compute(self, reference: Reference) -> dict[str, float]:
        """0 of a generator that diverged."""
        rule, known = reference.data.rule, reference.data.spec.words
        numbers = [1 + known.index(word) for word in rule.words]
        asked = bags_of(self.condition.cpu(), len(known))[:, numbers]
        seen = rule.see(self.images.cpu())
        finite = float(self.finite)
        found = {"described": finite * (seen == asked).all(1).double().mean().item()}
        for index, word in enumerate(rule.words):
            if asked[:, index].any():
                found[f"described_{word}"] = finite * seen[asked[:, index], index].double().mean().item()
        return found
