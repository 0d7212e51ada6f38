"""Inception Score: is every sample clearly of one class, and are all classes there?"""

import math

from torch import Tensor

from genlab.core.types import Count
from genlab.metrics.extractors.extractor import Extractor
from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel


class InceptionScore(FeatureMetric):
    """exp of the mean KL(p(y|x) | p(y)): Salimans et al. 2016, section 4; mean and deviation over equal parts.

    `inception_score` uses Inception's 1,008 outputs without their bias, as torch-fidelity does; with another classifier
    it is called `classifier_score`, from 1 to the number of classes, and compares with itself alone.
    Neither sees a real image: a generator of one perfect image a class has the best score.
    No number for extractors without classes.
    """

    judges_run = True
    higher_is_better = True

    def __init__(self, splits: Count = 10) -> None:  # equal parts, in the order of the samples; the paper's 10
        super().__init__()
        self.splits = splits

    def gives(self, number: str, extractor: Extractor) -> bool:
        return number in (extractor.score, f"{extractor.score}_deviation")

    def shortage(self, images: int, reference: Reference, trained: TrainedModel | None) -> str | None:
        """Return whether samples are too few for the parts; real images do not matter."""
        if images >= self.splits:
            return None
        return f"{images:,} samples in {self.splits} parts: raise metrics.images, or lower its splits"

    @property
    def settings(self) -> str:
        return f"{self.splits} splits"

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return mean and deviation; nan if any sample is not finite."""
        name, logits = reference.extractor.score, reference.extractor.logits(self.features)
        if logits is None:
            return {}
        if not self.finite:
            return {name: math.nan, f"{name}_deviation": math.nan}
        return dict(zip((name, f"{name}_deviation"), split_scores(logits.cpu().double(), self.splits), strict=True))


def split_scores(logits: Tensor, splits: int) -> tuple[float, float]:
    """Return mean and deviation of the score over `splits` parts of logits [N, K], float64."""
    likely = logits.log_softmax(1)
    parts = likely.tensor_split([i * len(likely) // splits for i in range(1, splits)])
    found = likely.new_tensor([part_score(part) for part in parts])
    return found.mean().item(), found.std(correction=0).item()


def part_score(likely: Tensor) -> float:
    """Return the score of log-probabilities [N, K]."""
    share = likely.exp()
    return (share * (likely - share.mean(0).log())).nan_to_num(0).sum(1).mean().exp().item()  # 0 log 0 is 0
