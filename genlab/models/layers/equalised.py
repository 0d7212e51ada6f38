"""Layers with an equalised learning rate: Karras et al. 2018 (ProGAN), section 4.1.

Weights start from N(0, 1) and are scaled by He's constant each time they are used. Adam's steps do not depend on the
scale of a weight, so this makes it train all layers at the same speed.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from genlab.core.types import Count, Positive

HE = 2**0.5  # He et al. 2015's gain before a rectifier, where the activation has no gain of its own


class EqualisedLinear(nn.Module):
    """A linear layer with equalised learning rate: [..., inputs] -> [..., outputs]."""

    def __init__(
        self,
        inputs: Count,
        outputs: Count,
        *,
        bias: bool = True,
        start: float = 0.0,  # of the bias
        gain: float = 1.0,
        rate: Positive = 1.0,  # learning rate relative to other layers': Karras et al. 2019 (StyleGAN), appendix C
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), start / rate)) if bias else None
        self.weight_scale, self.rate = gain * rate / inputs**0.5, rate

    def forward(self, vectors: Tensor) -> Tensor:
        bias = self.bias if self.bias is None or self.rate == 1 else self.bias * self.rate
        return linear(vectors, self.weight * self.weight_scale, bias)


class EqualisedConv2d(nn.Module):
    """[N, inputs, H, W] -> [N, outputs, H', W']; by default a 3x3 convolution keeps the size."""

    def __init__(
        self,
        inputs: Count,
        outputs: Count,
        side: Count = 3,  # of the kernel, in pixels
        *,
        stride: Count = 1,
        padding: int | None = None,  # null: half the kernel
        bias: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.weight_scale = gain / (inputs * side**2) ** 0.5
        self.stride, self.padding = stride, side // 2 if padding is None else padding

    def forward(self, maps: Tensor) -> Tensor:
        return conv2d(maps, self.weight * self.weight_scale, self.bias, stride=self.stride, padding=self.padding)


class PixelNorm(nn.Module):
    """Normalise each vector (along dimension 1) to a mean square of 1: Karras et al. 2018 (ProGAN), section 4.2."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps * (maps.square().mean(1, keepdim=True) + 1e-8).rsqrt()
