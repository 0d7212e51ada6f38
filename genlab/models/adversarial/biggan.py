"""BigGAN's generator: Brock et al. 2019, appendix B. Its discriminator is `resnet.Discriminator`."""

from functools import partial
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models.layers.attention import with_attention
from genlab.models.layers.first_and_last import MapToImage, VectorToMap
from genlab.models.layers.residual import UpBlock
from genlab.models.layers.weights import initialise, set_apart
from genlab.models.map_sizes import Growth, attention_level, innermost_map, map_sides, widths


class SharedEmbedding(nn.Module):
    """(vectors [N, F], condition=None) -> [N, F + extra]: appends an embedding of the condition that all layers share.

    Spectral normalisation leaves the embedding alone: normalised, it cripples the generator (the authors' code).
    """

    def __init__(self, spec: Spec, size: int) -> None:
        super().__init__()
        self.extra = size if spec.condition_size else 0
        self.layer = set_apart(spec.condition.embedding(size)) if self.extra else None
        if self.layer is not None:
            nn.init.orthogonal_(self.layer.weight)

    def forward(self, vectors: Tensor, condition: Tensor | None = None) -> Tensor:
        return vectors if self.layer is None else torch.cat([vectors, self.layer(condition)], dim=1)


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W] in [-1, 1]: doubles the side until it is the data's.

    z is split into equal parts, the first ones larger by one where it does not divide. The first part becomes the
    innermost map; each other one, with the embedded condition, sets scale and shift of a block's batch normalisations.
    """

    standing_statistics: ClassVar[bool] = True  # gathered anew for truncated latents

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 96,  # channels of the largest map
        growth: Growth = "doubling",
        attention: Whole = 64,  # pixels a side of the largest map that may attend to itself; 0: none does
        embedding_size: Count = 128,  # of the condition
    ) -> None:
        super().__init__()
        innermost, levels = innermost_map(spec)
        sizes = widths(width, levels, growth)
        self.parts = split_evenly(latent_size, levels + 1)
        self.shared = SharedEmbedding(spec, embedding_size)
        self.first = VectorToMap(self.parts[0], sizes[0], innermost)
        inputs = [part + self.shared.extra for part in self.parts[1:]]
        level = attention_level(map_sides(spec, levels)[::-1], attention)
        self.blocks = nn.ModuleList(
            with_attention(UpBlock(*pair, partial(nn.Linear, size, bias=False)), pair[0], index == level)
            for index, (size, pair) in enumerate(zip(inputs, pairwise(sizes), strict=True))
        )
        self.last = MapToImage(sizes[-1], spec.channels)
        initialise("orthogonal", self)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        first, *others = z.split(self.parts, dim=1)
        maps = self.first(first)
        for block, part in zip(self.blocks, others, strict=True):
            maps = block(maps, self.shared(part, condition))
        return self.last(maps)


def split_evenly(size: int, count: int) -> list[int]:
    """Return `count` numbers that sum to `size`, the first ones larger by one where it does not divide."""
    return [size // count + (index < size % count) for index in range(count)]
