"""Dropout as a generator's noise: what is dropped is a function of z."""

from __future__ import annotations

from torch import Tensor, nn

from genlab.core.types import ProperShare


class LatentDropout(nn.Module):
    """(maps [N, C, H, W], z [N, size]) -> maps, of whose values a share is 0 and the others are larger in turn.

    A value is dropped where its number of z, uniform in [-1, 1], is among the smallest. So it is drawn by whoever
    draws z: the same for the same z in training and afterwards, whatever else is in the batch. Maps that are larger
    than those that the layer was made for repeat its pattern.
    """

    def __init__(self, channels: int, height: int, width: int, share: ProperShare = 0.5) -> None:
        super().__init__()
        self.shape, self.share = (channels, height, width), share
        self.size = channels * height * width

    def forward(self, maps: Tensor, z: Tensor) -> Tensor:
        kept = (z >= 2 * self.share - 1).unflatten(1, self.shape)
        times = [-(-size // own) for size, own in zip(maps.shape[2:], self.shape[1:], strict=True)]
        if times != [1, 1]:
            kept = kept.repeat(1, 1, *times)
        kept = kept[..., : maps.shape[2], : maps.shape[3]]
        return maps * (kept.to(maps.dtype) / (1 - self.share))
