"""Layers that concatenate what networks are told to make or judge: labels, or a picture [N, C, H, W]."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from genlab.core.spec import Spec


class Concatenation(nn.Module):
    """(vectors [N, F], condition) -> [N, F + extra]: Mirza and Osindero 2014. Without a condition, the vectors."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.extra = 0 if spec.condition is None else spec.condition.concatenated_size
        self.embedding = spec.condition.embedding(self.extra) if self.extra else None

    def forward(self, vectors: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return vectors
        return torch.cat([vectors, self.embedding(condition)], dim=1)


class ConcatenatedMaps(Concatenation):
    """(images [N, C, H, W], condition) -> [N, C + extra, H, W]: a map for each number of the embedding."""

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return images
        maps = self.embedding(condition)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        return torch.cat([images, maps], dim=1)


class ConcatenatedSource(nn.Module):
    """(images [N, C, H, W], source [N, S, h, w]) -> [N, C + S, H, W]; a source of another size is resized (nearest).

    Without a source, the images.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.extra = spec.require_source().input_channels if spec.has_source else 0

    def forward(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        if not self.extra:
            return images
        if source.shape[2:] != images.shape[2:]:
            source = interpolate(source, size=images.shape[2:])
        return torch.cat([images, source], dim=1)
