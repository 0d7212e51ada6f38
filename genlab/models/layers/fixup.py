"""Residual blocks without normalisation, initialised so that they need none: Zhang et al. 2019 (Fixup)."""

from math import gcd, sqrt

from torch import Tensor, nn

from genlab.core.errors import ConfigError

SLOPE = 0.2  # of LeakyReLU below zero
GAIN = sqrt(2 / (1 + SLOPE**2))  # keeps the variance through LeakyReLU: He et al. 2015, equation 15


def scaled_conv(
    inputs: int, outputs: int, size: int = 1, *, groups: int = 1, gain: float = 1.0, bias: bool = False
) -> nn.Module:
    """Return a convolution that keeps the map's size, initialised by `init_scaled`."""
    return init_scaled(nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=bias), gain)


def init_scaled(layer: nn.Module, gain: float = 1.0) -> nn.Module:
    """Initialise a linear or convolutional layer's weights with deviation gain / sqrt(fan-in), and return it."""
    nn.init.normal_(layer.weight, std=gain / sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class FixupBlock(nn.Module):
    """[N, C, H, W] -> the same shape: input plus inverted bottleneck, Huang et al. 2024, section 4 and figure 2c.

    1x1 to `expansion` times the channels, grouped 3x3, 1x1 back, with biased LeakyReLUs between. The last
    convolution starts at zero, the first two are scaled by depth^(-1 / (2m - 2)) for m = 3 layers in a branch
    (Zhang et al. 2019, section 3).

    Raises ConfigError if `group` does not divide the bottleneck's channels.
    """

    def __init__(
        self,
        channels: int,
        *,
        depth: int,  # blocks in the whole network
        expansion: int = 2,
        group: int = 16,  # channels of a group
    ) -> None:
        super().__init__()
        wide = channels * expansion
        if wide > group and wide % group:
            raise ConfigError(
                f"group={group}: {channels} channels x expansion {expansion} are no multiple of it: choose a width "
                f"that is a multiple of {group // gcd(group, expansion)}, or group=1."
            )
        gain = GAIN * depth ** (-1 / 4)
        self.branch = nn.Sequential(
            scaled_conv(channels, wide, gain=gain, bias=True),
            nn.LeakyReLU(SLOPE),
            scaled_conv(wide, wide, 3, groups=max(1, wide // group), gain=gain, bias=True),
            nn.LeakyReLU(SLOPE),
            scaled_conv(wide, channels, gain=0.0),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.branch(maps)
