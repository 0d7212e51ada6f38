"""LPIPS: perceptual distance of translated images to their partners. Its weights are given as files."""

from functools import cached_property

import torch
from torch import Tensor

from genlab.core.types import Amount, FilePath
from genlab.metrics.extractors.extractor import full_precision
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.pair_distances import PairDistance
from genlab.metrics.trained_model import TrainedModel
from genlab.models import perceptual_distance


class LPIPS(PairDistance):
    """`lpips`: Zhang et al. 2018, equation 1, on VGG16; lower is better. Grey images become three equal channels.

    Raises ConfigError, before anything is trained, without the files that hold its weights.
    """

    name = "lpips"
    min_side = 16  # VGG16 halves it four times

    def __init__(
        self,
        weights: FilePath | None = None,  # a file: the weight of each feature
        *,
        vgg: FilePath | None = None,  # a file: VGG16, as torchvision has it
        images: Amount = 10_000,  # at most, of the split that samples are made from
    ) -> None:
        super().__init__(images)
        self.files = {"weights": weights, "vgg": vgg}

    @property
    def settings(self) -> str:
        return f"VGG16; {super().settings}"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        if reason := super().unfit_reason(reference, trained):
            return reason
        _ = self.network  # missing weights fail before the first step
        return None

    @cached_property
    def network(self) -> perceptual_distance.LPIPS:
        return perceptual_distance.LPIPS(**self.files, key="metrics.metrics.lpips")

    @torch.no_grad()
    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        with full_precision(images.device):
            return self.network.to(images.device)(images.float(), targets.float())
