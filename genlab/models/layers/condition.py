"""How networks are told what to make or judge.

A class int64 [N], attributes [N, K], words int64 [N, L] (0: none), or a picture [N, C, H, W].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from genlab.core.spec import Spec

WIDEST = 128  # numbers that a bag of words becomes where it is concatenated: a vocabulary may have thousands


def embedding(spec: Spec, width: int) -> nn.Module:
    """Condition -> [N, width]. Raises ConfigError if it is a picture."""
    if spec.condition_size and spec.classes:
        return nn.Embedding(spec.classes, width)
    if spec.words:
        return WordSum(len(spec.words), width)
    return nn.Linear(spec.attributes, width, bias=False)


def width_of(spec: Spec) -> int:
    """Of a condition that is concatenated; 0 without one."""
    size = spec.condition_size or 0
    return min(size, WIDEST) if spec.words else size


class WordSum(nn.Linear):
    """Words int64 [N, L] -> [N, width]: a vector of every word, summed over the root of the words' number.

    Their order does not count: it is a bag of words. The sum of independent vectors is as long as one of them,
    however many there are; of no word at all it is 0.
    """

    def __init__(self, words: int, width: int) -> None:
        super().__init__(words, width, bias=False)

    def reset_parameters(self) -> None:
        """As an embedding of classes starts: standard normal."""
        nn.init.normal_(self.weight)

    def forward(self, words: Tensor) -> Tensor:
        ones = torch.ones_like(words, dtype=self.weight.dtype)
        bags = ones.new_zeros(words.shape[0], self.in_features + 1).scatter_add(1, words, ones)[:, 1:]
        return super().forward(bags / bags.sum(1, keepdim=True).clamp(min=1).sqrt())


class Concatenation(nn.Module):
    """(vectors [N, F], condition) -> [N, F + extra]: Mirza and Osindero 2014. Without a condition, the vectors."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.extra = width_of(spec)
        self.embedding = embedding(spec, self.extra) if self.extra else None

    def forward(self, vectors: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.embedding is None:
            return vectors
        return torch.cat([vectors, self.embedding(condition)], dim=1)


class ConcatenatedMaps(nn.Module):
    """(images [N, C, H, W], condition) -> [N, C + extra, H, W]: a map for each number of the embedding."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.extra = width_of(spec)
        self.embedding = embedding(spec, self.extra) if self.extra else None

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
        self.extra = spec.source_channels if spec.source else 0

    def forward(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        if not self.extra:
            return images
        if source.shape[2:] != images.shape[2:]:
            source = interpolate(source, size=images.shape[2:])
        return torch.cat([images, source], dim=1)
