"""Resampling layers with equalised learning rate, and StyleGAN's blur.

Convolution and resampling are one operation, as in the code of Karras et al. 2018, at 16/36 of the multiplications.
"""

from torch import Tensor, nn
from torch.nn.functional import linear

from genlab.core.types import Count
from genlab.models.layers.downsample import conv2d_downsample, downsampling_fold
from genlab.models.layers.equalised import EqualisedConv2d
from genlab.models.layers.upfirdn import binomial, blur2d
from genlab.models.layers.upsample import upsample_conv2d, upsampling_fold


class EqualisedUpConv2d(EqualisedConv2d):
    """Nearest upsampling by two, then a 3x3 convolution: [N, inputs, H, W] -> [N, outputs, 2H, 2W]."""

    def __init__(self, inputs: Count, outputs: Count, *, bias: bool = True, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, bias=bias, gain=gain)
        self.register_buffer("fold", upsampling_fold(), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        return upsample_conv2d(maps, self.weight * self.weight_scale, self.bias, self.fold)


class EqualisedDownConv2d(EqualisedConv2d):
    """A 3x3 convolution, then 2x2 average pooling: [N, inputs, 2H, 2W] -> [N, outputs, H, W]."""

    def __init__(self, inputs: Count, outputs: Count, *, bias: bool = True, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, bias=bias, gain=gain)
        self.register_buffer("fold", downsampling_fold(), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        return conv2d_downsample(maps, self.weight * self.weight_scale, self.bias, self.fold)


class EqualisedFromVector(EqualisedConv2d):
    """A transposed convolution of a 1x1 map, run as a matrix product: [N, inputs] -> [N, outputs, 4, 4].

    He's constant is that of the convolution, whose fan-in includes its 16 taps: Karras et al. 2018, table 2.
    """

    def __init__(self, inputs: Count, outputs: Count, *, gain: float = 1.0) -> None:
        super().__init__(inputs, outputs, 4, gain=gain)

    def forward(self, vectors: Tensor) -> Tensor:
        rows = (self.weight * self.weight_scale).permute(0, 2, 3, 1).flatten(0, 2)  # no copy in channels_last
        return linear(vectors, rows).unflatten(1, (-1, 4, 4)) + self.bias[:, None, None]


class Blur(nn.Module):
    """[N, C, H, W] -> the same shape, blurred with the taps 1, 2, 1: Karras et al. 2019 (StyleGAN), section 2."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", binomial((1.0, 2.0, 1.0)), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        return blur2d(maps, self.kernel)
