"""StyleGAN2's networks: Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", configuration F.

The generator's image is a sum over all sizes (skip connections), the discriminator is residual, and neither grows.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from genlab.core.spec import Spec
from genlab.core.types import Count, Positive, Share
from genlab.models.adversarial import discriminator as base
from genlab.models.layers.equalised import HE, EqualisedConv2d, EqualisedLinear
from genlab.models.layers.mapping import LabelEmbedding, Mapping
from genlab.models.layers.minibatch import MinibatchDeviation
from genlab.models.layers.modulated import Form, ModulatedConv2d
from genlab.models.layers.noise import Noise
from genlab.models.layers.upfirdn import binomial2d, downsample2d, upfirdn2d, upsample2d
from genlab.models.style_based.growing import SMALLEST, widths
from genlab.models.style_based.style_generator import StyleGenerator

# Of layers before a rectifier, whose output is multiplied in the authors' code.
RECTIFIER_GAINS = {"gain": HE, "bias_gain": HE}


class Generator(StyleGenerator):
    """(z [N, latent], condition=None) -> images [N, C, S, S], S a power of two from 8 to 1024; else ConfigError.

    As published, no layer bounds the images; training brings them into [-1, 1].
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 32,  # channels of the largest map; twice as many each time the side halves
        most: Count = 512,  # channels of any map
        style_size: Count = 512,  # of w
        depth: Count = 8,  # layers of the mapping
        mapping_rate: Positive = 0.01,  # learning rate of the mapping relative to other layers
        mixing: Share = 0.9,  # share of training images with two styles
        form: Form = "plain",  # of modulated convolutions
        truncated_layers: Count | None = None,  # first layers that truncation changes; null: all
    ) -> None:
        sizes = widths(spec, width, most)
        mapping = Mapping(spec, latent_size, size=style_size, depth=depth, rate=mapping_rate)
        super().__init__(mapping, layers=2 * len(sizes), mixing=mixing, truncated_layers=truncated_layers)
        self.constant = nn.Parameter(torch.randn(sizes[0], SMALLEST, SMALLEST))
        shared = {"colours": spec.channels, "style_size": style_size, "form": form}
        self.stages = nn.ModuleList([Stage(sizes[0], sizes[0], SMALLEST, up=False, **shared)])
        for level, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
            self.stages.append(Stage(inputs, outputs, SMALLEST << level, up=True, **shared))

    def synthesis(self, styles: Tensor) -> Tensor:
        # `shape`, not `len`, so that the batch size stays variable in an exported trace
        maps, image = self.constant.expand(styles.shape[0], -1, -1, -1), None
        for level, stage in enumerate(self.stages):
            first = max(0, 2 * level - 1)  # the last style of one size is the first of the next
            maps, image = stage(maps, image, styles[:, first : 2 * level + 2])
        return image


class Stage(nn.Module):
    """(maps, smaller image, styles [N, layers + 1, W]) -> maps and image of this size: figure 7c of the paper."""

    def __init__(
        self, inputs: int, outputs: int, side: int, *, up: bool, colours: int, style_size: int, form: Form
    ) -> None:
        super().__init__()
        shared = {"style_size": style_size, "form": form}
        self.layers = nn.ModuleList([StyledConv2d(inputs, outputs, side, up=up, **shared)])
        if up:
            self.layers.append(StyledConv2d(outputs, outputs, side, **shared))
        self.to_image = ModulatedConv2d(outputs, colours, style_size, 1, demodulate=False, form=form)
        self.bias = nn.Parameter(torch.zeros(colours, 1, 1))
        self.register_buffer("kernel", binomial2d(), persistent=False)

    def forward(self, maps: Tensor, image: Tensor | None, styles: Tensor) -> tuple[Tensor, Tensor]:
        *inner, last = styles.unbind(1)
        for layer, style in zip(self.layers, inner, strict=True):
            maps = layer(maps, style)
        addition = self.to_image(maps, last) + self.bias
        return maps, addition if image is None else upsample2d(image, self.kernel) + addition


class StyledConv2d(nn.Module):
    """A modulated convolution, then noise, bias and a leaky rectifier: figure 2d of the paper."""

    def __init__(self, inputs: int, outputs: int, side: int, *, style_size: int, form: Form, up: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, outputs, style_size, up=up, form=form)
        self.noise = Noise((side, side))
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        return leaky_relu(self.noise(self.conv(maps, style)) + self.bias, 0.2) * HE


class Discriminator(base.Discriminator):
    """(images [N, C, S, S], condition=None) -> logits [N]; S a power of two from 8 to 1024; else ConfigError.

    With a condition the logit is an inner product of `last`'s output and a mapping of the condition, without a term of
    the image alone: the code of Karras et al. 2020 (ADA).
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 32,
        most: Count = 512,
        minibatch: Literal["deviation", "none"] = "deviation",
        group: Count = 4,  # images for each minibatch deviation
        depth: Count = 8,  # layers of the condition's mapping
        outputs: Count = 1,
    ) -> None:
        sizes = widths(spec, width, most)
        innermost = sizes[0]
        mapping = LabelMapping(spec, innermost, depth) if spec.condition_size else None
        super().__init__(spec, innermost, outputs=outputs, label_vectors=mapping)
        self.last = EqualisedLinear(innermost, self.last_size)
        self.layers = nn.Sequential(EqualisedConv2d(spec.channels, sizes[-1], 1, **RECTIFIER_GAINS), nn.LeakyReLU(0.2))
        self.layers.extend(Halving(*pair) for pair in pairwise(reversed(sizes)))
        statistics = [MinibatchDeviation(group=group)] if minibatch == "deviation" else []
        self.layers.extend(statistics)
        self.layers.extend(
            [EqualisedConv2d(innermost + len(statistics), innermost, **RECTIFIER_GAINS), nn.LeakyReLU(0.2)]
        )
        dense = EqualisedLinear(innermost * SMALLEST**2, innermost, **RECTIFIER_GAINS)
        self.layers.extend([nn.Flatten(), dense, nn.LeakyReLU(0.2)])

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(images)


class Halving(nn.Module):
    """[N, inputs, H, W] -> [N, outputs, H / 2, W / 2]: a residual block that filters before it subsamples."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.same = EqualisedConv2d(inputs, inputs, **RECTIFIER_GAINS)
        self.down = EqualisedConv2d(inputs, outputs, stride=2, padding=0, **RECTIFIER_GAINS)
        self.skip = EqualisedConv2d(inputs, outputs, 1, bias=False)
        self.register_buffer("kernel", binomial2d(), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        inner = leaky_relu(self.same(maps), 0.2)
        filtered = upfirdn2d(inner, self.kernel, padding=(2, 2, 2, 2))  # [H + 1, W + 1], so that `down` halves
        inner = leaky_relu(self.down(filtered), 0.2)
        return (inner + self.skip(downsample2d(maps, self.kernel))) * 0.5**0.5  # keeps the variance of the sum of two


class LabelMapping(nn.Module):
    """Condition -> [N, size], scaled so that its inner product with a vector of variance 1 has variance 1."""

    def __init__(self, spec: Spec, size: Count, depth: Count, *, rate: Positive = 0.01) -> None:
        super().__init__()
        dense = [EqualisedLinear(size, size, rate=rate, **RECTIFIER_GAINS) for _ in range(depth)]
        rectified = [module for layer in dense for module in (layer, nn.LeakyReLU(0.2))]
        self.layers = nn.Sequential(LabelEmbedding(spec, size), *rectified)
        self.scale = size**-0.5

    def forward(self, condition: Tensor) -> Tensor:
        return self.layers(condition) * self.scale
