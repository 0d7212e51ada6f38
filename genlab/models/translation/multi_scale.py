"""Multi-scale discriminator, a PatchGAN for the image and each smaller copy of it: Wang et al. 2018, section 3.2."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.layers.concatenation import ConcatenatedSource
from genlab.models.layers.resample import halve
from genlab.models.translation.patchgan import FIELDS, NormName, PatchGAN, halvings_of, refuse_labels

Field = Literal[16, 34, 70, 142, 286]

PADDING = 2  # pixels around every map: the code of Wang et al. 2018 and of Park et al. 2019


class MultiScale(nn.Module):
    """(images [N, C, H, W], source=None) -> logits [N, M], of patches of all scales.

    One PatchGAN judges the image with its source, and one each copy, half as large as the one before. As all have the
    same architecture, logits of smaller copies cover more of the image. `patch_weights` [M], 1 on average, weight a
    logit within its image so that all scales count alike, however few patches they have.

    Features are the maps of all layers of all scales, flattened; `by_layer` splits them.

    Raises ConfigError for images that are too small for one patch.
    """

    patch_weights: Tensor

    def __init__(
        self,
        spec: Spec,
        *,
        scales: Count = 3,  # at most; copies that are too small for a patch are left out
        width: Count = 64,  # channels of each first map; doubled each time the side halves, up to 8 times
        receptive_field: Field | None = None,  # pixels a side; null: at most half the image's, and fitting all copies
        norm: NormName = "instance",
    ) -> None:
        super().__init__()
        refuse_labels(spec)
        self.source = ConcatenatedSource(spec)
        input_spec = replace(spec.unconditional, channels=spec.channels + self.source.extra)
        specs = list(scale_specs(input_spec, scales, receptive_field))
        field = receptive_field or FIELDS[min(halvings_of(spec, None), count_fitting_fields(specs[-1])) - 1]
        options = {"width": width, "receptive_field": field, "norm": norm, "padding": PADDING}
        self.scales = nn.ModuleList(PatchGAN(copy, **options) for copy in specs)
        shapes = [scale.layer_shapes(copy.height, copy.width) for scale, copy in zip(self.scales, specs, strict=True)]
        self.layer_shapes = [layers for *layers, _ in shapes]  # of each scale and layer: (F, h, w)
        weights = balance_groups([prod(logits) for *_, logits in shapes])
        self.register_buffer("patch_weights", weights, persistent=False)

    def features(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        """Return features [N, F]."""
        pyramid = zip(self.scales, self.pyramid(images, source), strict=True)
        return torch.cat([maps.flatten(1) for scale, copy in pyramid for maps in scale.layer_maps(copy)], 1)

    def by_layer(self, features: Tensor) -> list[list[Tensor]]:
        """Split features [N, F] into the maps of each scale and layer, [N, F, h, w]."""
        sizes = [prod(shape) for layer_shapes in self.layer_shapes for shape in layer_shapes]
        maps = iter(features.split(sizes, 1))
        return [[next(maps).unflatten(1, shape) for shape in layer_shapes] for layer_shapes in self.layer_shapes]

    def head(self, features: Tensor, source: Tensor | None = None) -> Tensor:
        """Return logits [N, M] of features [N, F]."""
        pairs = zip(self.scales, self.by_layer(features), strict=True)
        return torch.cat([scale.head(layers[-1]).flatten(1) for scale, layers in pairs], 1)

    def forward(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        pairs = zip(self.scales, self.pyramid(images, source), strict=True)
        return torch.cat([scale(copy).flatten(1) for scale, copy in pairs], 1)

    def pyramid(self, images: Tensor, source: Tensor | None) -> Iterator[Tensor]:
        """Yield the input of each scale: images beside their sources."""
        copy = self.source(images, source)
        yield copy
        for _ in self.scales[1:]:
            copy = halve(copy)
            yield copy


def scale_specs(spec: Spec, most: int, field: Field | None) -> Iterator[Spec]:
    """Yield specs of the image and of its copies that are large enough. Raises ConfigError for too small an image."""
    needed = 1 if field is None else FIELDS.index(field) + 1
    for level in range(most):
        height, width = (-(-side >> level) for side in (spec.height, spec.width))
        copy = replace(spec, height=height, width=width)
        if level and count_fitting_fields(copy) < needed:
            return
        if count_fitting_fields(copy) < needed:
            raise ConfigError(
                f"model.discriminator.receptive_field={'null' if field is None else field}: images of {spec.width} x "
                f"{spec.height} pixels leave no patch. Set a smaller one, or data.size={3 << needed}."
            )
        yield copy


def count_fitting_fields(spec: Spec) -> int:
    """Return how many of `FIELDS` fit, leaving at least one patch."""
    return sum(min(spec.height, spec.width) >> number > 2 for number in range(1, len(FIELDS) + 1))


def balance_groups(counts: list[int]) -> Tensor:
    """Return weights [M], 1 on average, that give groups of these sizes the same total."""
    share = sum(counts) / len(counts)
    return torch.cat([torch.full((count,), share / count) for count in counts])
