"""Dropout as a generator's noise, with masks that are a function of z."""

from torch import Tensor, nn

from genlab.core.types import ProperShare


class LatentDropout(nn.Module):
    """(maps [N, C, H, W], z [N, size]) -> maps with a share of values dropped to 0 and the others scaled up.

    A value is dropped where its number in z, uniform in [-1, 1], is below a threshold. So the mask depends on z alone,
    in training and at sampling, and not on the rest of the batch. Maps larger than those that the layer was made for
    repeat the mask.
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
