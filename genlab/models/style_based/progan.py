"""ProGAN's networks: Karras et al. 2018, "Progressive growing of GANs", table 2."""

from itertools import islice, pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial import discriminator as base
from genlab.models.layers.concatenation import Concatenation
from genlab.models.layers.equalised import HE, EqualisedConv2d, EqualisedLinear, PixelNorm
from genlab.models.layers.equalised_resample import Blur, EqualisedDownConv2d, EqualisedFromVector, EqualisedUpConv2d
from genlab.models.layers.minibatch import MinibatchDeviation
from genlab.models.style_based.growing import Growing, GrowingGenerator, average_down, widths


class Generator(GrowingGenerator):
    """(z [N, latent], condition=None) -> images [N, C, H, W], as large as it has grown.

    z is normalised, and an embedded condition is appended to it.
    """

    unbounded: ClassVar[bool] = True  # as published, nothing but training holds images to [-1, 1]
    normalises_latent: ClassVar[bool] = True

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 32,  # channels of the largest map; twice as many each time the side halves
        most: Count = 128,  # channels of any map
    ) -> None:
        super().__init__()
        sizes = widths(spec, width, most)
        self.normalise, self.condition = PixelNorm(), Concatenation(spec)
        first = EqualisedFromVector(latent_size + self.condition.extra, sizes[0], gain=HE)
        self.blocks = nn.ModuleList([generator_block(first, sizes[0])])
        self.blocks.extend(generator_block(EqualisedUpConv2d(*pair, gain=HE), pair[1]) for pair in pairwise(sizes))
        self.to_images = nn.ModuleList(EqualisedConv2d(channels, spec.channels, 1) for channels in sizes)
        self.start_fully_grown(len(sizes) - 1)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = below = self.condition(self.normalise(z), condition)
        for layers in islice(self.blocks, self.stage + 1):
            below, maps = maps, layers(maps)
        return self.to_image(below, maps)


def generator_block(first: nn.Module, channels: int) -> nn.Sequential:
    """Return the generator's layers of one size; `first` brings maps to that size."""
    second = EqualisedConv2d(channels, channels, gain=HE)
    return nn.Sequential(first, nn.LeakyReLU(0.2), PixelNorm(), second, nn.LeakyReLU(0.2), PixelNorm())


class Discriminator(Growing, base.Discriminator):
    """(images [N, C, H, W], condition=None) -> logits [N].

    Images larger than it has grown are averaged down.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 32,
        most: Count = 128,
        group: Count = 4,  # images for each minibatch deviation: all in the paper, 4 in the authors' later code
        blur: bool = False,  # blur before halving: Karras et al. 2019 (StyleGAN), section 2
        outputs: Count = 1,
    ) -> None:
        sizes = widths(spec, width, most)
        super().__init__(spec, sizes[0], outputs=outputs)
        self.last = EqualisedLinear(sizes[0], outputs)
        self.from_images = nn.ModuleList(
            nn.Sequential(EqualisedConv2d(spec.channels, channels, 1, gain=HE), nn.LeakyReLU(0.2)) for channels in sizes
        )
        self.blocks = nn.ModuleList(discriminator_block(outer, inner, blur) for inner, outer in pairwise(sizes))
        self.innermost = nn.Sequential(
            MinibatchDeviation(group=group),
            EqualisedConv2d(sizes[0] + 1, sizes[0], gain=HE),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            EqualisedLinear(16 * sizes[0], sizes[0], gain=HE),
            nn.LeakyReLU(0.2),
        )
        self.start_fully_grown(len(sizes) - 1)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        images = average_down(images, self.side)
        maps = self.from_images[self.stage](images)
        for level in reversed(range(self.stage)):
            maps = self.blocks[level](maps)
            if self.fading and level == self.stage - 1:
                maps = self.blend(self.from_images[level](avg_pool2d(images, 2)), maps)
        return self.innermost(maps)


def discriminator_block(outer: int, inner: int, blur: bool) -> nn.Sequential:
    """Return the discriminator's layers of one size: from `outer` channels to `inner` ones at half the side."""
    layers = [EqualisedConv2d(outer, outer, gain=HE), nn.LeakyReLU(0.2), *([Blur()] if blur else [])]
    return nn.Sequential(*layers, EqualisedDownConv2d(outer, inner, gain=HE), nn.LeakyReLU(0.2))
