"""Discriminators on an image and on smaller copies of it: Wang et al. 2018, section 3.2."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.condition import ConcatenatedSource
from genlab.models.layers.downsample import halved
from genlab.models.translation.patchgan import FIELDS, NormName, PatchGAN, halvings_of

Field = Literal[16, 34, 70, 142, 286]


class MultiScale(nn.Module):
    """(images [N, C, H, W], source=None) -> logits [N, M], of patches of all scales.

    A PatchGAN sees the image, its source beside it, and another one each copy, half as large as the one before. They
    are built alike, so that a logit of a smaller copy sees more of the image. `patch_weights` [M], 1 on average, say
    how much a logit counts within its image: every scale as much as any other, however few patches it has.

    Features are the maps of all layers of all scales, flattened; `by_layer` takes them apart.

    Raises ConfigError for images that are too small for one patch.
    """

    patch_weights: Tensor

    def __init__(
        self,
        spec: Spec,
        *,
        scales: Count = 3,  # at most: copies that are too small for a patch are left out
        width: Count = 64,  # channels of each first map; doubled each time the side halves, up to 8 times
        receptive_field: Field
        | None = None,  # pixels of each copy; null: at most half of the image's, of the smallest's
        norm: NormName = "instance",
    ) -> None:
        super().__init__()
        spec.require_images()
        self.source = ConcatenatedSource(spec)
        seen = replace(spec.unconditional, channels=spec.channels + self.source.extra)
        specs = list(copies(seen, scales, receptive_field))
        field = receptive_field or FIELDS[min(halvings_of(spec, None), fitting(specs[-1])) - 1]
        self.scales = nn.ModuleList(PatchGAN(copy, width=width, receptive_field=field, norm=norm) for copy in specs)
        self.shapes = [
            scale.shapes(copy.height, copy.width) for scale, copy in zip(self.scales, specs, strict=True)
        ]  # of each scale and layer: (F, h, w)
        self.register_buffer(
            "patch_weights", equally([patches(shapes[-1]) for shapes in self.shapes]), persistent=False
        )

    def features(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        """[N, F]."""
        pyramid = zip(self.scales, self.pyramid(images, source), strict=True)
        return torch.cat([maps.flatten(1) for scale, copy in pyramid for maps in scale.stages(copy)], 1)

    def by_layer(self, features: Tensor) -> list[list[Tensor]]:
        """[N, F] -> of each scale the maps of each layer, [N, F, h, w]."""
        sizes = [prod(shape) for shapes in self.shapes for shape in shapes]
        maps = iter(features.split(sizes, 1))
        return [[next(maps).unflatten(1, shape) for shape in shapes] for shapes in self.shapes]

    def head(self, features: Tensor, source: Tensor | None = None) -> Tensor:
        """Logits of features."""
        pairs = zip(self.scales, self.by_layer(features), strict=True)
        return torch.cat([scale.head(layers[-1]).flatten(1) for scale, layers in pairs], 1)

    def forward(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        pairs = zip(self.scales, self.pyramid(images, source), strict=True)
        return torch.cat([scale(copy).flatten(1) for scale, copy in pairs], 1)

    def pyramid(self, images: Tensor, source: Tensor | None) -> Iterator[Tensor]:
        """What each scale sees."""
        copy = self.source(images, source)
        yield copy
        for _ in self.scales[1:]:
            copy = halved(copy)
            yield copy


def copies(spec: Spec, most: int, field: Field | None) -> Iterator[Spec]:
    """The image, and its smaller copies as long as they are large enough. Raises ConfigError if it is too small."""
    needed = 1 if field is None else FIELDS.index(field) + 1
    for level in range(most):
        height, width = (-(-side >> level) for side in (spec.height, spec.width))
        copy = replace(spec, height=height, width=width)
        if level and fitting(copy) < needed:
            return
        if fitting(copy) < needed:
            raise ConfigError(
                f"model.discriminator.receptive_field={'null' if field is None else field}: images of {spec.width} x "
                f"{spec.height} pixels leave no patch. Set a smaller one, or data.size={3 << needed}."
            )
        yield copy


def fitting(spec: Spec) -> int:
    """How many of `FIELDS` leave a patch."""
    return sum(min(spec.height, spec.width) >> number > 2 for number in range(1, len(FIELDS) + 1))


def patches(shape: tuple[int, int, int]) -> int:
    """Logits of such features."""
    return (shape[1] - 1) * (shape[2] - 1)


def equally(counts: list[int]) -> Tensor:
    """Weights [M], 1 on average, of groups of so many values, which count alike."""
    share = sum(counts) / len(counts)
    return torch.cat([torch.full((count,), share / count) for count in counts])
