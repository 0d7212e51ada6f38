"""Self-attention between the positions of feature maps."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d


class SelfAttention(nn.Module):
    """[N, C, H, W] -> the same shape: Zhang et al. 2019, equations 1-3.

    As in the authors' code, keys and values are halved in height and width by max pooling, and values have half
    of the channels. Starts as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, maps: Tensor) -> Tensor:
        query = self.query(maps).flatten(2)  # [N, C / 8, HW]
        key = max_pool2d(self.key(maps), 2).flatten(2)  # [N, C / 8, HW / 4]
        value = max_pool2d(self.value(maps), 2).flatten(2)  # [N, C / 2, HW / 4]
        # Written out because fused kernels lack the second derivatives that gradient penalties need.
        weights = (query.transpose(1, 2) @ key).softmax(dim=2)  # [N, HW, HW / 4]
        rows = (weights @ value.transpose(1, 2)).unflatten(1, maps.shape[2:])  # [N, H, W, C / 2]
        return maps + self.gamma * self.out(rows.permute(0, 3, 1, 2))


class SelfAttendingBlock(nn.Module):
    """(maps [N, C, H, W], *more) -> block(self-attention of maps, *more)."""

    def __init__(self, block: nn.Module, channels: int) -> None:
        super().__init__()
        self.attention = SelfAttention(channels)
        self.block = block

    def forward(self, maps: Tensor, *more: Tensor | None) -> Tensor:
        return self.block(self.attention(maps), *more)


def with_attention(block: nn.Module, channels: int, wanted: bool) -> nn.Module:
    return SelfAttendingBlock(block, channels) if wanted else block
