"""SRGAN's networks: Ledig et al. 2017, figure 4."""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial import discriminator as base
from genlab.models.latent import no_latent
from genlab.models.layers.concatenation import ConcatenatedSource
from genlab.models.layers.minibatch import MinibatchName
from genlab.models.layers.norm import norm2d

NormName = Literal["batch", "layer", "none"]

LEVELS = 4  # halvings in the discriminator, with two convolutions for each


class Generator(nn.Module):
    """SRResNet: (z [N, 0], source [N, S, h, w]) -> images [N, C, r h, r w] in [-1, 1], from sources of any size.

    r is the size of the data's images over that of their sources, a power of two from 2 on. Each doubling is a
    convolution to four times as many channels and a pixel shuffle (section 2.1.1). The final tanh, which bounds images,
    is not in the figure.

    Raises ConfigError for data without sources, and for sources that are not smaller by a power of two.
    """

    side_multiple = 1

    def __init__(
        self,
        spec: Spec,
        latent_size: int | None = None,  # there is no noise
        *,
        width: Count = 64,  # channels of all maps
        blocks: Count = 16,  # residual blocks, at the source's size
        norm: NormName = "batch",
    ) -> None:
        super().__init__()
        self.latent = no_latent(latent_size)
        self.first = nn.Sequential(nn.Conv2d(spec.require_source().input_channels, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(Residual(width, norm) for _ in range(blocks)))
        self.body.extend([nn.Conv2d(width, width, 3, padding=1), *norm2d(norm, width)])
        self.doublings = nn.Sequential()
        for _ in range(doublings_of(spec)):
            self.doublings.extend([nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()])
        self.last = nn.Sequential(nn.Conv2d(width, spec.channels, 9, padding=4), nn.Tanh())

    def forward(self, z: Tensor, source: Tensor) -> Tensor:
        maps = self.first(source)
        return self.last(self.doublings(maps + self.body(maps)))


class Residual(nn.Module):
    """[N, width, H, W] -> the same shape: two convolutions and a skip connection."""

    def __init__(self, width: int, norm: NormName) -> None:
        super().__init__()
        first, second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.layers = nn.Sequential(first, *norm2d(norm, width), nn.PReLU(), second, *norm2d(norm, width))

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps)


class Discriminator(base.Discriminator):
    """(images [N, C, H, W], source=None) -> logits [N].

    Eight convolutions, every second one halving the side, and a dense layer of 16 x `width` outputs, the features. A
    source is concatenated to the image; a class is projected.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 64,  # channels of the first maps; doubled each time the side halves
        norm: NormName = "batch",
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
    ) -> None:
        spec.require_images()
        features = 2**LEVELS * width
        super().__init__(spec, features, minibatch=minibatch, outputs=outputs, projection=not spec.has_source)
        self.source = ConcatenatedSource(spec)
        sizes = [spec.channels + self.source.extra, *(width << level // 2 for level in range(2 * LEVELS))]
        self.layers = nn.Sequential()
        for index, pair in enumerate(pairwise(sizes)):
            self.layers.extend(block(*pair, norm=norm if index else "none", stride=1 + index % 2))
        places = -(-spec.height >> LEVELS) * (-(-spec.width >> LEVELS))
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(sizes[-1] * places, features), nn.LeakyReLU(0.2))

    def features(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        return self.dense(self.layers(self.source(images, source)))


def block(inputs: int, outputs: int, *, norm: NormName, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=norm == "none")
    return [convolution, *norm2d(norm, outputs), nn.LeakyReLU(0.2)]


def doublings_of(spec: Spec) -> int:
    """Return how often a source's sides are doubled to reach the image's."""
    spec.require_images()
    (_, height, width), (_, low, narrow) = spec.shape, spec.require_source().shape
    factor = height // low
    if (low * factor, narrow * factor) != (height, width) or factor < 2 or factor & (factor - 1):
        raise ConfigError(
            f"sources of {narrow} x {low} pixels for images of {width} x {height}: super-resolution makes sides "
            "2, 4 or another power of two times as large. Set data.task=low_resolution (4) or low_resolution_2; or "
            "model=pix2pix, for sources of the images' size."
        )
    return factor.bit_length() - 1
