"""The batches that training draws: infinite, shuffled, a pure function of seed and position."""

from __future__ import annotations

from functools import lru_cache

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
        channels_last: bool = False,
    ) -> None:
        self.seed, self.device, self.dtype, self.flip = seed, device, dtype, flip
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.images = split.images.to(device) if fits(split.images, device) else split.images
        self.order = lru_cache(maxsize=4)(self._order)

    def rows(self, player: str, position: int, count: int) -> Tensor:
        """Indices [count] of the rows from `position` on, where the images are."""
        epoch, offset = divmod(position, len(self.images))
        indices = self.order(player, epoch)[offset : offset + count]
        if len(indices) == count:
            return indices
        return torch.cat([indices, self.rows(player, position + len(indices), count - len(indices))])

    def batch(self, player: str, position: int, draws: Draws) -> Tensor:
        """[N, C, H, W] in [-1, 1]: the rows that `draws` is for, of the batch that begins at `position`."""
        rows = self.rows(player, position + draws.start, draws.stop - draws.start)
        images = self.images.index_select(0, rows).to(self.device, non_blocking=True)
        images = images.to(self.dtype, memory_format=self.layout).mul_(1 / 127.5).sub_(1)
        if not self.flip:
            return images
        return torch.where(draws.uniform("flip", 1, 1, 1) < 0.5, images.flip(-1), images)

    def _order(self, player: str, epoch: int) -> Tensor:
        source = generator(self.seed, "order", player, epoch)
        return torch.randperm(len(self.images), generator=source).to(self.images.device)


def fits(images: Tensor, device: torch.device) -> bool:
    """Whether the images may live on the device: always in main memory, on a GPU if they leave room."""
    if device.type != "cuda":
        return device.type == "cpu"
    free, _ = torch.cuda.mem_get_info(device)
    return images.numel() <= ROOM * free
