"""Modulated convolutions, whose weights are scaled by a style: Karras et al. 2020 (StyleGAN2), section 2.2."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from genlab.core.types import Count, Whole
from genlab.models.layers.equalised import EqualisedLinear
from genlab.models.layers.upfirdn import binomial2d, upfirdn2d

Form = Literal["plain", "fused"]


class ModulatedConv2d(nn.Module):
    """(maps [N, inputs, H, W], styles [N, style_size]) -> [N, outputs, H, W], of twice the size with `up`.

    An affine function of the style scales the weights of every input map (equation 1); with `demodulate` the weights
    of every output map are then normalised (equation 3), which assumes inputs of deviation 1.

    `fused` gives every image its own weights in one grouped convolution (appendix B); `plain` scales the maps before
    and after a convolution that all images share. Both compute the same function.
    """

    def __init__(
        self,
        inputs: Count,
        outputs: Count,
        style_size: Count,
        side: Count = 3,  # of the kernel, in pixels, odd
        *,
        up: bool = False,
        padding: Whole | None = None,  # null: half the kernel; unused with `up`
        demodulate: bool = True,
        form: Form = "plain",
    ) -> None:
        super().__init__()
        self.affine = EqualisedLinear(style_size, inputs, start=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.weight_scale = 1 / (inputs * side**2) ** 0.5
        self.up, self.demodulate, self.form = up, demodulate, form
        self.padding = side // 2 if padding is None else padding
        self.register_buffer("kernel", binomial2d() if up else None, persistent=False)

    def forward(self, maps: Tensor, styles: Tensor) -> Tensor:
        convolve = self.convolve_fused if self.form == "fused" else self.convolve_plain
        return convolve(maps, self.affine(styles), self.weight * self.weight_scale)

    def convolve_plain(self, maps: Tensor, scales: Tensor, weight: Tensor) -> Tensor:
        maps = self.convolve(maps * scales[:, :, None, None], weight[None])
        if not self.demodulate:
            return maps
        squares = scales.square() @ weight.square().sum((2, 3)).T  # [N, outputs]
        return maps * (squares + 1e-8).rsqrt()[:, :, None, None]

    def convolve_fused(self, maps: Tensor, scales: Tensor, weight: Tensor) -> Tensor:
        weights = weight * scales[:, None, :, None, None]  # [N, outputs, inputs, side, side]
        if self.demodulate:
            weights = weights * (weights.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
        groups = maps.reshape(1, -1, *maps.shape[2:])
        return self.convolve(groups, weights).unflatten(1, (maps.shape[0], -1)).squeeze(0)

    def convolve(self, maps: Tensor, weights: Tensor) -> Tensor:
        """Convolve [N, G inputs, H, W] by weights [G, outputs, inputs, side, side] to [N, G outputs, H, W]."""
        groups, side = len(weights), weights.shape[-1]
        if not self.up:
            return conv2d(maps, weights.flatten(0, 1), padding=self.padding, groups=groups)
        wide = conv_transpose2d(maps, weights.transpose(1, 2).flatten(0, 1), stride=2, groups=groups)
        before, after = (len(self.kernel) + 2 - side) // 2, (len(self.kernel) + 1 - side) // 2
        return upfirdn2d(wide, self.kernel, padding=(before, after, before, after), gain=4)
