"""Layers with an equalised learning rate: Karras et al. 2018 (ProGAN), section 4.1.

Weights start from N(0, 1) and are scaled by He's constant each time they are used. Adam's steps do not depend on the
scale of a weight, so this makes it train all layers at the same speed.

Before a leaky rectifier, ProGAN and StyleGAN multiply weights alone by `HE` (`gain`). From StyleGAN2 on the rectifier's
output is multiplied instead, which is the same as multiplying weights and bias before it (`gain` and `bias_gain`), at
the cost of a pass over the maps less. The two differ in how fast a bias learns.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from genlab.core.types import Count, Positive

HE = 2**0.5  # He et al. 2015's gain before a rectifier, where the activation has no gain of its own


class Equalised(nn.Module):
    """Base of the layers, which add `bias * bias_scale`."""

    _version = 2  # of the state dict, as torch keeps it; in version 1 biases were multiplied by `bias_gain` already

    bias: nn.Parameter | None
    bias_gain: float
    bias_scale: float  # `bias_gain` and the learning rate relative to other layers'

    @property
    def scaled_bias(self) -> Tensor | None:
        return self.bias if self.bias is None or self.bias_scale == 1 else self.bias * self.bias_scale

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], *rest: Any) -> None:
        if metadata.get("version", self._version) < 2 and f"{prefix}bias" in state:
            state[f"{prefix}bias"] = state[f"{prefix}bias"] / self.bias_gain
        super()._load_from_state_dict(state, prefix, metadata, *rest)


class EqualisedLinear(Equalised):
    """A linear layer with equalised learning rate: [..., inputs] -> [..., outputs]."""

    def __init__(
        self,
        inputs: Count,
        outputs: Count,
        *,
        bias: bool = True,
        start: float = 0.0,  # of the bias that is added
        gain: float = 1.0,
        bias_gain: float = 1.0,
        rate: Positive = 1.0,  # learning rate relative to other layers': Karras et al. 2019 (StyleGAN), appendix C
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.weight_scale, self.bias_gain, self.bias_scale = gain * rate / inputs**0.5, bias_gain, bias_gain * rate
        self.bias = nn.Parameter(torch.full((outputs,), start / self.bias_scale)) if bias else None

    def forward(self, vectors: Tensor) -> Tensor:
        return linear(vectors, self.weight * self.weight_scale, self.scaled_bias)


class EqualisedConv2d(Equalised):
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
        bias_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.weight_scale, self.bias_gain, self.bias_scale = gain / (inputs * side**2) ** 0.5, bias_gain, bias_gain
        self.stride, self.padding = stride, side // 2 if padding is None else padding

    def forward(self, maps: Tensor) -> Tensor:
        return conv2d(maps, self.weight * self.weight_scale, self.scaled_bias, stride=self.stride, padding=self.padding)


class PixelNorm(nn.Module):
    """Normalise each vector (along dimension 1) to a mean square of 1: Karras et al. 2018 (ProGAN), section 4.2."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps * (maps.square().mean(1, keepdim=True) + 1e-8).rsqrt()
