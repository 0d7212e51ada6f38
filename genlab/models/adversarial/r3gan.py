"""R3GAN's networks: Huang et al. 2024, "The GAN is dead; long live the GAN!", section 4, config E.

Residual stages without normalisation, one for each size of maps, with bilinear resampling between them.
"""

from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial import discriminator as base
from genlab.models.layers.fixup import FixupBlock, init_scaled, scaled_conv
from genlab.models.layers.minibatch import MinibatchName
from genlab.models.layers.resample import DownsampleBilinear, UpsampleBilinear
from genlab.models.map_sizes import innermost_map


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W].

    An embedded condition, as long as z, is appended to z.
    """

    unbounded: ClassVar[bool] = True  # as published, nothing but training holds images to [-1, 1]

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 32,  # channels of the largest map
        growth: Count = 2,  # times as many each time the side halves
        most: Count = 128,  # channels of any map
        blocks: Count = 2,  # at each size
        expansion: Count = 2,  # of channels inside a block
        group: Count = 16,  # channels of a group in the 3x3 convolutions
        output: Literal["linear", "tanh"] = "linear",  # linear: as published, unbounded; tanh: may saturate and stall
    ) -> None:
        super().__init__()
        innermost, widths = plan_maps(spec, width, growth, most)
        self.embedding = scaled_embedding(spec, latent_size) if spec.condition_size else None
        inputs = latent_size * (2 if self.embedding else 1)
        self.basis = Basis(inputs, widths[-1], innermost)
        self.layers = nn.Sequential(*residual_stage(widths[-1], blocks, len(widths), expansion, group))
        for wide, narrow in pairwise(reversed(widths)):
            change = [scaled_conv(wide, narrow)] if wide != narrow else []
            self.layers.extend([*change, UpsampleBilinear(narrow)])
            self.layers.extend(residual_stage(narrow, blocks, len(widths), expansion, group))
        self.layers.append(scaled_conv(widths[0], spec.channels))
        self.layers.extend([nn.Tanh()] if output == "tanh" else [])

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(condition)], dim=1)
        return self.layers(self.basis(z))


class Discriminator(base.Discriminator):
    """(images [N, C, H, W], condition=None) -> logits [N]: the generator's stages in reverse order.

    Features are the inner products of the last maps with one learned map for each channel. With a condition the logit
    is the inner product of `last`'s output and an embedding of variance 1 / size, as in the authors' code.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 32,
        growth: Count = 2,
        most: Count = 128,
        blocks: Count = 2,
        expansion: Count = 2,
        group: Count = 16,
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
    ) -> None:
        innermost, widths = plan_maps(spec, width, growth, most)
        vectors = scaled_embedding(spec, widths[-1], gain=widths[-1] ** -0.5) if spec.condition_size else None
        super().__init__(spec, widths[-1], minibatch=minibatch, outputs=outputs, bias=False, label_vectors=vectors)
        init_scaled(self.last)
        self.layers = nn.Sequential(scaled_conv(spec.channels, widths[0]))
        self.layers.extend(residual_stage(widths[0], blocks, len(widths), expansion, group))
        for narrow, wide in pairwise(widths):
            change = [scaled_conv(narrow, wide)] if wide != narrow else []
            self.layers.extend([DownsampleBilinear(narrow), *change])
            self.layers.extend(residual_stage(wide, blocks, len(widths), expansion, group))
        basis = nn.Conv2d(widths[-1], widths[-1], innermost, groups=widths[-1], bias=False)
        self.layers.extend([init_scaled(basis), nn.Flatten()])

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(images)


class Basis(nn.Module):
    """z [N, inputs] -> the innermost map [N, C, H, W]: learned maps, weighted by linear functions of z."""

    def __init__(self, inputs: int, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(channels, *size))
        self.weights = init_scaled(nn.Linear(inputs, channels, bias=False))

    def forward(self, z: Tensor) -> Tensor:
        return self.weights(z)[:, :, None, None] * self.maps


def plan_maps(spec: Spec, width: int, growth: int, most: int) -> tuple[tuple[int, int], list[int]]:
    """Return (height, width) of the innermost map, and the channels of all maps from the largest to it."""
    innermost, halvings = innermost_map(spec)
    return innermost, [min(width * growth**level, most) for level in range(halvings + 1)]


def residual_stage(channels: int, blocks: int, stages: int, expansion: int, group: int) -> list[nn.Module]:
    depth = blocks * stages
    return [FixupBlock(channels, depth=depth, expansion=expansion, group=group) for _ in range(blocks)]


def scaled_embedding(spec: Spec, width: int, gain: float = 1.0) -> nn.Module:
    """Return an embedding of the condition, [N, width], initialised like a linear layer of one-hot classes."""
    layer = spec.condition.embedding(width)
    nn.init.normal_(layer.weight, std=gain * spec.condition_size**-0.5)
    return layer
