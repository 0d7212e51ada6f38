"""Inception Score: is every sample clearly of one class, and are all classes there?"""

import math

import numpy as np
import torch
from torch import Tensor

from genlab.core.types import Count
from genlab.metrics.extractors.extractor import Extractor
from genlab.metrics.metric import FeatureMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel

SHUFFLE_SEED = 2020  # torch-fidelity's


class InceptionScore(FeatureMetric):
    """exp of the mean KL(p(y|x) | p(y)): Salimans et al. 2016, section 4; mean and deviation over equal parts.

    `inception_score` uses Inception's 1,008 outputs without their bias, and shuffles samples, as torch-fidelity does;
    with another classifier it is called `classifier_score`, from 1 to the number of classes, and compares with itself
    alone. `_real` is the score of as many real images, which the samples' should come near. Neither sees one: a
    generator of one perfect image a class has the best score. No number for extractors without classes.
    """

    neutral = ("*_deviation", "*_real")
    judges_run = True
    higher_is_better = True
    needs_features = True

    def __init__(self, splits: Count = 10) -> None:  # equal parts of the shuffled samples; the paper's 10
        super().__init__()
        self.splits, self._measured = splits, ""

    def may_return(self, number: str, extractor: Extractor) -> bool:
        return number in (extractor.score, f"{extractor.score}_deviation", f"{extractor.score}_real")

    def too_few_reason(self, images: int, reference: Reference, trained: TrainedModel | None) -> str | None:
        """Return that samples are too few for the parts, or None; the number of real images does not matter."""
        if images >= self.splits:
            return None
        return f"{images:,} samples in {self.splits} parts: raise metrics.images, or lower its splits"

    @property
    def settings(self) -> str:
        return f"{self.splits} splits, shuffled with seed {SHUFFLE_SEED}{self._measured}"

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the numbers, without the real images' if these are too few; nan if any sample is not finite."""
        extractor = reference.extractor
        name, logits = extractor.score, extractor.logits(self.features)
        if logits is None:
            return {}
        self._measured = "" if extractor.temperature is None else f"; temperature {extractor.temperature:.4g}"
        mean, deviation = split_scores(logits, self.splits) if self.finite else (math.nan, math.nan)
        found = {name: mean, f"{name}_deviation": deviation}
        if reference.count < self.splits:
            return found
        real = extractor.logits(some_of(reference.features, len(logits)))  # few of them score lower than many
        return found | {f"{name}_real": split_scores(real, self.splits)[0]}


def some_of(features: Tensor, count: int) -> Tensor:
    """Return at most `count` rows, which a shuffle chooses."""
    if len(features) <= count:
        return features
    order = np.random.RandomState(SHUFFLE_SEED).permutation(len(features))[:count]
    return features[torch.from_numpy(order).to(features.device)]


def split_scores(logits: Tensor, splits: int) -> tuple[float, float]:
    """Return mean and deviation of the score over `splits` equal parts of shuffled logits [N, K]."""
    order = np.random.RandomState(SHUFFLE_SEED).permutation(len(logits))  # the legacy generator is torch-fidelity's
    likely = logits.cpu().double()[torch.from_numpy(order)].log_softmax(1)
    parts = likely.tensor_split([i * len(likely) // splits for i in range(1, splits)])
    found = likely.new_tensor([part_score(part) for part in parts])
    return found.mean().item(), found.std(correction=0).item()


def part_score(likely: Tensor) -> float:
    """Return the score of log-probabilities [N, K]."""
    share = likely.exp()
    return (share * (likely - share.mean(0).log())).nan_to_num(0).sum(1).mean().exp().item()  # 0 log 0 is 0
