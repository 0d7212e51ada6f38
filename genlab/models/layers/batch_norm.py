"""Batch normalisation over the images of all ranks, plain and conditional."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm

from genlab.core import distributed
from genlab.models.layers.instance_norm import with_ordered_gradient


class BatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` with moments over the images of all ranks: Brock et al. 2019, appendix.

    With `momentum=None` each rank uses its own images alone, since one rank gathers standing statistics by itself.
    """

    def forward(self, maps: Tensor) -> Tensor:
        if not self.training or self.momentum is None or distributed.world_size() == 1:
            return super().forward(maps)
        mean, variance = self.shared_moments(maps.float() if maps.dtype.itemsize < 4 else maps)
        self.track(mean, variance, distributed.world_size() * maps[:, 0].numel())
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        return torch.addcmul(shift[:, None, None], maps, scale[:, None, None]).to(maps.dtype)

    def shared_moments(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance [C], computed around the running mean to avoid cancellation."""
        around = maps - self.running_mean[:, None, None]
        moments = torch.stack([around.mean((0, 2, 3)), around.square().mean((0, 2, 3))])
        mean, square = distributed.shared_mean(moments)
        return mean + self.running_mean, square - mean.square()

    @torch.no_grad()
    def track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        self.num_batches_tracked += 1


class OwnBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation that uses no running averages in evaluation: Isola et al. 2017, section 3.3.

    There each image is normalised by its own moments, as the paper's batches of one are. So no image depends on those
    beside it. Running averages are kept, but not read.
    """

    def forward(self, maps: Tensor) -> Tensor:
        if self.training:
            return super().forward(maps)
        return with_ordered_gradient(instance_norm(maps, weight=self.weight, bias=self.bias, eps=self.eps))


class ConditionalBatchNorm2d(nn.Module):
    """(maps [N, C, H, W], condition) -> maps of the same shape: de Vries et al. 2017, section 4.

    After normalisation maps are scaled by 1 + gain(condition) and shifted by bias(condition). Without a condition
    to embed, scale and shift are plain parameters.
    """

    def __init__(
        self,
        channels: int,
        embed: Callable[[int], nn.Module] | None = None,  # width -> a layer: condition -> [N, width]
    ) -> None:
        super().__init__()
        self.norm = BatchNorm2d(channels, affine=embed is None)
        self.gain = embed(channels) if embed else None
        self.bias = embed(channels) if embed else None

    def forward(self, maps: Tensor, condition: Tensor | None = None) -> Tensor:
        normal = self.norm(maps)
        if self.gain is None:
            return normal
        gain, bias = 1 + self.gain(condition), self.bias(condition)
        return torch.addcmul(bias[:, :, None, None], normal, gain[:, :, None, None])
