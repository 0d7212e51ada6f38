"""CycleGAN's residual generator: Zhu et al. 2017, section 7.2, after Johnson et al. 2016."""

from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models.adversarial.dcgan import init_normal_zero_bias
from genlab.models.latent import EmptyLatent
from genlab.models.layers.norm import norm2d, wants_bias

NormName = Literal["instance_plain", "instance", "batch", "none"]

SMALLEST = 5  # fewest pixels a side: halved twice, two are left, the fewest that can be padded by reflection
NINE_BLOCKS_FROM = 256  # pixels a side from which the paper uses nine blocks instead of six


class Trunk(nn.Module):
    """Source [N, S, H, W] -> maps [N, width, H, W]: a residual translator without its last layer.

    Layers that keep the size pad by reflection.
    """

    def __init__(self, inputs: int, *, width: int, blocks: int, halvings: int, norm: NormName) -> None:
        super().__init__()
        sizes = [width << level for level in range(halvings + 1)]
        self.first = nn.Sequential(*conv_norm(inputs, width, 7, norm), nn.ReLU())
        self.downs = nn.ModuleList(Down(*pair, norm) for pair in pairwise(sizes))
        self.blocks = nn.Sequential(*(Block(sizes[-1], norm) for _ in range(blocks)))
        self.ups = nn.ModuleList(Up(*pair, norm) for pair in pairwise(sizes[::-1]))

    def forward(self, source: Tensor) -> Tensor:
        maps, sides = self.first(source), []
        for down in self.downs:
            sides.append(maps.shape[2:])
            maps = down(maps)
        maps = self.blocks(maps)
        for up in self.ups:
            maps = up(maps, sides.pop())
        return maps


class ResNetTranslator(Trunk):
    """(z [N, 0], source [N, S, H, W]) -> images [N, C, H, W] in [-1, 1], of any size from 5 pixels a side on.

    Two halvings, residual blocks at a quarter of the side, two doublings; there is no noise.

    Raises ConfigError for data without sources, sources of another size than images, and images that are too small.
    """

    side_multiple: ClassVar[int] = 1  # sides of other sources may be any multiple of it

    def __init__(
        self,
        spec: Spec,
        latent_size: int | None = None,  # None: the network sets the size of its noise
        *,
        width: Count = 64,  # channels of the largest map; doubled each time the side halves
        blocks: Whole | None = None,  # null: 9 for images of 256 pixels a side and more, else 6
        norm: NormName = "instance_plain",
    ) -> None:
        refuse_unfit(spec, latent_size)
        count = (9 if min(spec.height, spec.width) >= NINE_BLOCKS_FROM else 6) if blocks is None else blocks
        super().__init__(spec.require_source().input_channels, width=width, blocks=count, halvings=2, norm=norm)
        self.latent = EmptyLatent()
        self.last = nn.Sequential(*conv_norm(width, spec.channels, 7, "none"), nn.Tanh())
        self.apply(init_normal_zero_bias)

    def forward(self, z: Tensor, source: Tensor) -> Tensor:
        return self.last(super().forward(source))


class Down(nn.Sequential):
    """[N, in, H, W] -> [N, out, H / 2, W / 2], rounded up: d of the paper."""

    def __init__(self, inputs: int, outputs: int, norm: NormName) -> None:
        halved = nn.Conv2d(inputs, outputs, 3, 2, 1, bias=wants_bias(norm))
        super().__init__(halved, *norm2d(norm, outputs), nn.ReLU())


class Block(nn.Module):
    """[N, C, H, W] -> the same shape: R of the paper, without an activation after the sum."""

    def __init__(self, channels: int, norm: NormName) -> None:
        super().__init__()
        first, second = (conv_norm(channels, channels, 3, norm) for _ in range(2))
        self.layers = nn.Sequential(*first, nn.ReLU(), *second)

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps)


class Up(nn.Module):
    """[N, in, h, w] -> [N, out, H, W] of the size before halving to h x w: u of the paper."""

    def __init__(self, inputs: int, outputs: int, norm: NormName) -> None:
        super().__init__()
        self.doubled = nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, bias=wants_bias(norm))
        self.layers = nn.Sequential(*norm2d(norm, outputs), nn.ReLU())

    def forward(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        return self.layers(self.doubled(maps, output_size=size))


def conv_norm(inputs: int, outputs: int, side: int, norm: NormName) -> list[nn.Module]:
    """Return a convolution that keeps the size, and the normalisation after it."""
    convolution = nn.Conv2d(inputs, outputs, side, padding=side // 2, padding_mode="reflect", bias=wants_bias(norm))
    return [convolution, *norm2d(norm, outputs)]


def refuse_unfit(spec: Spec, noise: int | None) -> None:
    spec.require_images()
    spec.require_source_of_its_size()
    if min(spec.height, spec.width) < SMALLEST:
        raise ConfigError(
            f"images of {spec.width} x {spec.height} pixels: this network halves them twice, and needs {SMALLEST} a "
            "side. Set data.size=8, or more."
        )
    if noise:
        raise ConfigError(
            f"model.latent of size {noise}: this generator takes no noise. Set model.latent=null (or choose "
            "model.generator._target_=genlab.models.translation.unet.UNet, whose dropout is noise)."
        )
