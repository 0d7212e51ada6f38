"""Mask agreement: do images show the label maps they were made from? A rule makes label maps of images to compare."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlab.core.random import Draws
from genlab.core.types import Amount
from genlab.data import InMemory
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.pair_distances import PairMetric, mean_image
from genlab.metrics.trained_model import TrainedModel

LabelMapRule = Callable[[Tensor], Tensor]  # images [N, C, H, W] in [-1, 1] -> label maps [N, 1, H, W]


class MaskAgreement(PairMetric):
    """`mask_agreement`: the share of pixels of the class that was asked for; `mask_iou`: the mean over classes of
    intersection over union, counted over all images. Higher is better, 1 at best.

    A rule gives the class of each pixel: the task that made the data's label maps, or one's own, such as a classifier.
    `_mean` is the number of the mean training image, which needs no model. Pixels without a class do not count, nor do
    classes neither asked for nor found; values beyond the classes are wrong.
    """

    numbers = ("mask_agreement*", "mask_iou*")
    neutral = ("*_mean",)
    higher_is_better = True

    def __init__(
        self,
        images: Amount = 10_000,  # at most, of the split that samples are made from
        *,
        rule: LabelMapRule | None = None,  # null: data.task
    ) -> None:
        self.rule = rule
        super().__init__(images)

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        data = reference.data
        if not data.spec.has_source or not data.spec.require_source().classes:
            return "it reads label maps, and the data have none: set data.task=segments, or data.source_classes"
        if self.rule is None and data.task is None:
            return (
                "which class a pixel shows is for a rule to say, and these label maps were made by none: give one, "
                "metrics.metrics.mask_agreement.rule._target_=mine.Classifier"
            )
        return super().unfit_reason(reference, trained)

    def reset(self) -> None:
        super().reset()
        self.counts: dict[str, Tensor] = {}  # [K, K + 1] each: class asked for x class found

    def compare(self, images: Tensor, rows: slice) -> None:
        spec, size = self.data.spec, len(images)
        asked = spec.crop(self.data.conditions(self.data.examples, rows.start, size))  # one-hot
        for ending, answer in {"": images, "_mean": mean_image(self.data).to(images)}.items():
            counts = confusion_counts(asked, self.label_maps(answer).cpu().expand(size, -1, -1, -1))
            self.counts[ending] = self.counts.get(ending, 0) + (counts if answer.isfinite().all() else torch.nan)

    def label_maps(self, images: Tensor) -> Tensor:
        """Return label maps [N, 1, H, W] of images without padding, which the rule sees padded as the data set pads."""
        spec = self.data.spec
        rule = task_rule(self.data) if self.rule is None else self.rule
        return spec.crop(rule(pad(images, [spec.padding] * 4, value=-1.0)))

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the numbers; nan if any image is not finite."""
        shares = {f"mask_agreement{ending}": pixel_agreement(counts) for ending, counts in self.counts.items()}
        unions = {f"mask_iou{ending}": mean_iou(counts) for ending, counts in self.counts.items()}
        return shares | unions


def task_rule(data: InMemory) -> LabelMapRule:
    """Return the data's task as a rule. It is given draws, as all tasks are, which it does not use."""
    return lambda images: data.task(images, Draws(("rule",), len(images), 0, len(images), images.device))


def confusion_counts(asked: Tensor, found: Tensor) -> Tensor:
    """Count pixels by class asked for (one-hot [N, K, H, W]) and class found ([N, 1, H, W]): [K, K + 1]."""
    classes = asked.shape[1]
    found = found.squeeze(1).round().long()
    found = torch.where((found >= 0) & (found < classes), found, classes)
    known = asked.sum(1) > 0
    pairs = asked.argmax(1)[known] * (classes + 1) + found[known]
    return torch.bincount(pairs, minlength=classes * (classes + 1)).view(classes, classes + 1).double()


def pixel_agreement(counts: Tensor) -> float:
    return (counts.diagonal().sum() / counts.sum()).item()


def mean_iou(counts: Tensor) -> float:
    both = counts.diagonal()
    union = counts.sum(1) + counts[:, :-1].sum(0) - both
    return (both / union)[union != 0].mean().item()
