"""Residual blocks that double or halve the side: Miyato et al. 2018, figure 8."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from genlab.models.layers.batch_norm import ConditionalBatchNorm2d
from genlab.models.layers.downsample import ConvDownsample2d
from genlab.models.layers.upsample import UpsampleConv2d


class UpBlock(nn.Module):
    """(maps [N, in, H, W], condition=None) -> [N, out, 2H, 2W]."""

    def __init__(self, inputs: int, outputs: int, embed: Callable[[int], nn.Module] | None = None) -> None:
        super().__init__()
        self.norm1 = ConditionalBatchNorm2d(inputs, embed)
        self.conv1 = UpsampleConv2d(inputs, outputs)
        self.norm2 = ConditionalBatchNorm2d(outputs, embed)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:
        inner = self.conv1(relu(self.norm1(maps, condition)))
        inner = self.conv2(relu(self.norm2(inner, condition)))
        return inner + upsample_nearest(self.skip(maps))  # convolve, then upsample: a quarter of the cost


class DownBlock(nn.Module):
    """[N, in, H, W] -> [N, out, H / 2, W / 2], or [N, out, H, W] with down=False.

    The first convolution has as many outputs as the block (Brock et al. 2019, appendix B), not as many as its inputs.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        down: bool = True,
        first: bool = False,  # input is an image: no ReLU, which would cut it at grey
    ) -> None:
        super().__init__()
        self.first = first
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = ConvDownsample2d(outputs, outputs) if down else nn.Conv2d(outputs, outputs, 3, padding=1)
        self.pool = nn.AvgPool2d(2) if down else nn.Identity()
        self.skip = nn.Conv2d(inputs, outputs, 1) if down or inputs != outputs else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        inner = maps if self.first else relu(maps)
        return self.conv2(relu(self.conv1(inner))) + self.skip(self.pool(maps))


def upsample_nearest(maps: Tensor) -> Tensor:
    """Double the side by nearest upsampling: [N, C, H, W] -> [N, C, 2H, 2W]."""
    return interpolate(maps, scale_factor=2, mode="nearest")
