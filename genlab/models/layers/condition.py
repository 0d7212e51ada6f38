"""How networks are told what to make or judge: a class int64 [N], or a vector of attributes [N, K]."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genlab.spec import Spec


def embedding(spec: Spec, width: int) -> nn.Module:
    """Condition -> [N, width]."""
    if spec.classes:
        return nn.Embedding(spec.classes, width)
    return nn.Linear(spec.attributes, width, bias=False)


class Concatenation(nn.Module):
    """(vectors [N, F], condition) -> [N, F + extra]: Mirza and Osindero 2014. Without a condition, the vectors."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.extra = spec.condition_size or 0
        self.embedding = embedding(spec, self.extra) if self.extra else None

    def forward(self, vectors: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return vectors
        return torch.cat([vectors, self.embedding(condition)], dim=1)


class ConcatenatedMaps(nn.Module):
    """(images [N, C, H, W], condition) -> [N, C + extra, H, W]: a map for each number of the embedding."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.extra = spec.condition_size or 0
        self.embedding = embedding(spec, self.extra) if self.extra else None

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return images
        maps = self.embedding(condition)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return torch.cat([images, maps], dim=1)
