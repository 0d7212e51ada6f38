"""The batches that training draws: infinite, shuffled, a pure function of seed and position."""

from __future__ import annotations

from copy import copy
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from genlab.data.dataset import Split
from genlab.random import Draws, generator

ROOM = 0.5  # share of a GPU's free memory that the data may take


class Stream:
    """Rows of the shuffled data, normalised and flipped on the device.

    Row p of a player's endless stream is image p mod N of epoch p div N; every epoch has its own order.
    """

    def __init__(
        self,
        split: Split,
        *,
        seed: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        flip: bool = False,
        scale: float = 1.0,  # points are divided by it
        channels_last: bool = False,
    ) -> None:
        self.seed, self.device, self.dtype, self.flip, self.scale = seed, device, dtype, flip, scale
        layout = channels_last and split.images.ndim == 4
        self.layout = torch.channels_last if layout else torch.contiguous_format
        self.images = split.images.to(device) if fits(split.images, device) else split.images
        self.conditions = None if split.labels is None else split.labels.to(self.images.device)
        self.order = lru_cache(maxsize=4)(self._order)

    def rows(self, player: str, position: int, count: int) -> Tensor:
        """Indices [count] of the rows from `position` on, where the images are."""
        epoch, offset = divmod(position, len(self.images))
        indices = self.order(player, epoch)[offset : offset + count]
        if len(indices) == count:
            return indices
        return torch.cat([indices, self.rows(player, position + len(indices), count - len(indices))])

    def batch(self, player: str, position: int, draws: Draws) -> Tensor:
        """[N, C, H, W] in [-1, 1], or points [N, D]: the rows that `draws` is for, of the batch from `position` on."""
        images = self.images.index_select(0, self._mine(player, position, draws))
        images = images.to(self.device, non_blocking=True)
        if images.dtype != torch.uint8:
            return images.to(self.dtype).div_(self.scale)
        images = images.to(self.dtype, memory_format=self.layout).mul_(1 / 127.5).sub_(1)
        if not self.flip:
            return images
        return torch.where(draws.uniform("flip", 1, 1, 1) < 0.5, images.flip(-1), images)

    def labels(self, player: str, position: int, draws: Draws) -> Tensor:
        """Of the same rows: classes int64 [N] or attributes [N, K]."""
        labels = self.conditions.index_select(0, self._mine(player, position, draws)).to(self.device, non_blocking=True)
        return labels.to(self.dtype) if labels.is_floating_point() else labels

    def labelled(self, player: str, position: int, draws: Draws) -> tuple[Tensor, Tensor]:
        """As `batch` and `labels`, from an endless stream of the labelled images alone."""
        return self._labelled.batch(player, position, draws), self._labelled.labels(player, position, draws)

    @cached_property
    def _labelled(self) -> Stream:
        rows = (self.conditions >= 0).nonzero().squeeze(1)
        if len(rows) == len(self.images):
            return self
        part = copy(self)
        part.images, part.conditions = self.images[rows], self.conditions[rows]
        part.order = lru_cache(maxsize=4)(part._order)
        return part

    def _mine(self, player: str, position: int, draws: Draws) -> Tensor:
        return self.rows(player, position + draws.start, draws.stop - draws.start)

    def _order(self, player: str, epoch: int) -> Tensor:
        source = generator(self.seed, "order", player, epoch)
        return torch.randperm(len(self.images), generator=source).to(self.images.device)


def fits(images: Tensor, device: torch.device) -> bool:
    """Whether the images may live on the device: always in main memory, on a GPU if they leave room."""
    if device.type != "cuda":
        return device.type == "cpu"
    free, _ = torch.cuda.mem_get_info(device)
    return images.numel() <= ROOM * free
