"""BigGAN-deep's residual blocks: Brock et al. 2019, appendix B, figure 16.

Skip connections keep their input's channels: the generator drops the last ones, the discriminator appends new ones.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from genlab.models.layers.batch_norm import ConditionalBatchNorm2d
from genlab.models.layers.residual import upsample_nearest
from genlab.models.layers.upsample import UpsampleConv2d

REDUCTION = 4  # channels of a block over those of its bottleneck


class UpBottleneck(nn.Module):
    """(maps [N, in, H, W], condition=None) -> [N, out, 2H, 2W], or [N, out, H, W] with up=False; out <= in."""

    def __init__(
        self, inputs: int, outputs: int, embed: Callable[[int], nn.Module] | None = None, *, up: bool = True
    ) -> None:
        super().__init__()
        self.outputs, self.up = outputs, up
        hidden = max(inputs // REDUCTION, 1)
        self.norm1 = ConditionalBatchNorm2d(inputs, embed)
        self.conv1 = nn.Conv2d(inputs, hidden, 1)
        self.norm2 = ConditionalBatchNorm2d(hidden, embed)
        self.conv2 = UpsampleConv2d(hidden, hidden) if up else nn.Conv2d(hidden, hidden, 3, padding=1)
        self.norm3 = ConditionalBatchNorm2d(hidden, embed)
        self.conv3 = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.norm4 = ConditionalBatchNorm2d(hidden, embed)
        self.conv4 = nn.Conv2d(hidden, outputs, 1)

    def forward(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:
        inner = self.conv1(relu(self.norm1(maps, condition)))
        inner = self.conv2(relu(self.norm2(inner, condition)))
        inner = self.conv3(relu(self.norm3(inner, condition)))
        inner = self.conv4(relu(self.norm4(inner, condition)))
        kept = maps[:, : self.outputs]
        return inner + (upsample_nearest(kept) if self.up else kept)


class DownBottleneck(nn.Module):
    """[N, in, H, W] -> [N, out, H / 2, W / 2], or [N, out, H, W] with down=False; out >= in."""

    def __init__(self, inputs: int, outputs: int, *, down: bool = True) -> None:
        super().__init__()
        hidden = max(outputs // REDUCTION, 1)
        self.conv1 = nn.Conv2d(inputs, hidden, 1)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.conv3 = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.conv4 = nn.Conv2d(hidden, outputs, 1)
        self.pool = nn.AvgPool2d(2) if down else nn.Identity()
        self.skip = nn.Conv2d(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, maps: Tensor) -> Tensor:
        inner = self.conv2(relu(self.conv1(relu(maps))))
        inner = self.conv4(self.pool(relu(self.conv3(relu(inner)))))
        kept = self.pool(maps)
        return inner + (kept if self.skip is None else torch.cat([kept, self.skip(kept)], dim=1))
