"""Layers that append statistics of the batch to a discriminator's features, so that it can detect mode collapse."""

from math import gcd
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.types import Count

MinibatchName = Literal["none", "discrimination", "deviation"]


def minibatch_layer(name: MinibatchName, features: int) -> nn.Module:
    """Return a layer [N, features] -> [N, features + layer.extra]."""
    return {
        "none": NoBatchStatistics,
        "discrimination": lambda: MinibatchDiscrimination(features),
        "deviation": MinibatchDeviation,
    }[name]()


class NoBatchStatistics(nn.Identity):
    """The identity: each image is judged by itself."""

    extra = 0


class MinibatchDiscrimination(nn.Module):
    """Minibatch discrimination, [N, features] -> [N, features + kernels]: Salimans et al. 2016, section 3.2.

    Every feature vector f_i becomes a matrix M_i = f_i T; appended is o(x_i)_b = sum_j exp(-|M_ib - M_jb|_1), which
    counts, for each row b of the matrices, the images of the batch that are close in it (the image itself is one).
    """

    mixes_batch: ClassVar[bool] = True

    def __init__(
        self,
        features: Count,
        *,
        kernels: Count = 100,  # rows of M, and features appended: 100 x 5 in the authors' code for MNIST
        size: Count = 5,  # columns of M
    ) -> None:
        super().__init__()
        self.extra = kernels
        self.tensor = nn.Parameter(torch.empty(features, kernels, size))
        # Distances of about 1 between features of variance 1: exp(-distance) has a slope to learn from.
        nn.init.normal_(self.tensor, std=features**-0.5 / size)

    def forward(self, features: Tensor) -> Tensor:
        rows = (features @ self.tensor.flatten(1)).unflatten(1, self.tensor.shape[1:])  # [N, kernels, size]
        distances = (rows[:, None] - rows[None]).abs().sum(3)  # cdist has no double backward for L1
        return torch.cat([features, torch.exp(-distances).sum(1)], dim=1)


class MinibatchDeviation(nn.Module):
    """Minibatch standard deviation, [N, F, ...] -> [N, F + 1, ...]: Karras et al. 2018, section 3.

    One number for each group of images is appended: the mean over all features and positions of their deviation.
    """

    mixes_batch: ClassVar[bool] = True
    extra = 1

    def __init__(
        self,
        *,
        group: Count = 4,  # images, as in the authors' code; independent of batch size and accumulation
    ) -> None:
        super().__init__()
        self.group = group

    def forward(self, features: Tensor) -> Tensor:
        group = gcd(len(features), self.group)  # smaller groups for a batch that is no multiple
        groups = features.unflatten(0, (-1, group))
        deviations = (groups.var(1, correction=0) + 1e-8).sqrt()  # the square root has no slope at 0
        mean = deviations.flatten(1).mean(1).repeat_interleave(group)
        column = mean.view(-1, *[1] * (features.ndim - 1)).expand(-1, 1, *features.shape[2:])
        return torch.cat([features, column], dim=1)
