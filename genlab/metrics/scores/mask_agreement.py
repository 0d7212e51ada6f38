"""Do images show the label maps that they were made from? A rule that makes label maps of images says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.core.random import Draws
from genlab.core.types import Count
from genlab.metrics.scores.pair_distances import Beside, mean_image

if TYPE_CHECKING:
    from genlab.data import InMemory
    from genlab.metrics.references.reference import Reference
    from genlab.metrics.trained_model import Trained

Rule = Callable[[Tensor], Tensor]  # images [N, C, H, W] in [-1, 1] -> label maps [N, 1, H, W]


class MaskAgreement(Beside):
    """`mask_agreement`: the share of pixels that are of the class that was asked for; `mask_iou`: the mean over classes
    of intersection over union, counted over all images. Higher is better, 1 at best.

    The class of a pixel is what a rule says of the image: the task that made the data's label maps, or one's own, a
    classifier for one. Also, as `_mean`, of the mean of training images, which needs no model. Pixels of no class do
    not count, nor do classes that were neither asked for nor found; what is found beyond the classes is wrong.
    """

    numbers = ("mask_agreement*", "mask_iou*")
    higher_is_better = True

    def __init__(
        self,
        images: Count = 10_000,  # at most, of the split that samples are made from
        *,
        rule: Rule | None = None,  # null: data.task
    ) -> None:
        self.rule = rule
        super().__init__(images)

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        data = reference.data
        if not data.spec.source_classes:
            return "it reads label maps, and the data have none: set data.task=segments, or data.source_classes"
        if self.rule is None and data.task is None:
            return (
                "which class a pixel shows is for a rule to say, and these label maps were made by none: give one, "
                "metrics.metrics.mask_agreement.rule._target_=mine.Classifier"
            )
        return super().unfit(reference, trained)

    def reset(self) -> None:
        super().reset()
        self.counts: dict[str, Tensor] = {}  # [K, K + 1] each: asked for, and found

    def compare(self, images: Tensor, rows: slice) -> None:
        spec, size = self.data.spec, len(images)
        asked = spec.crop(self.data.sources(self.data.examples, rows.start, size))  # one-hot
        for ending, answer in {"": images, "_mean": mean_image(self.data).to(images)}.items():
            counts = crossed(asked, self.classes_of(answer).cpu().expand(size, -1, -1, -1))
            self.counts[ending] = self.counts.get(ending, 0) + (counts if answer.isfinite().all() else torch.nan)

    def classes_of(self, images: Tensor) -> Tensor:
        """Images without padding -> label maps [N, 1, H, W]. They are framed as the data set does it, and cut again."""
        spec = self.data.spec
        rule = task_of(self.data) if self.rule is None else self.rule
        return spec.crop(rule(pad(images, [spec.padding] * 4, value=-1.0)))

    def compute(self, reference: Reference) -> dict[str, float]:
        """nan if any image was not finite."""
        shares = {f"mask_agreement{ending}": agreement(counts) for ending, counts in self.counts.items()}
        unions = {f"mask_iou{ending}": mean_iou(counts) for ending, counts in self.counts.items()}
        return shares | unions


def task_of(data: InMemory) -> Rule:
    """What made the data's label maps. It is shown draws, as ever, which a rule has no use for."""
    return lambda images: data.task(images, Draws(("rule",), len(images), 0, len(images), images.device))


def crossed(asked: Tensor, found: Tensor) -> Tensor:
    """One-hot [N, K, H, W], [N, 1, H, W] -> how many pixels were asked to show a class and show another, [K, K + 1]."""
    classes = asked.shape[1]
    found = found.squeeze(1).round().long()
    found = torch.where((found >= 0) & (found < classes), found, classes)
    known = asked.sum(1) > 0
    pairs = asked.argmax(1)[known] * (classes + 1) + found[known]
    return torch.bincount(pairs, minlength=classes * (classes + 1)).view(classes, classes + 1).double()


def agreement(counts: Tensor) -> float:
    return (counts.diagonal().sum() / counts.sum()).item()


def mean_iou(counts: Tensor) -> float:
    both = counts.diagonal()
    union = counts.sum(1) + counts[:, :-1].sum(0) - both
    return (both / union)[union != 0].mean().item()
