"""The batches that training draws: infinite, shuffled, a pure function of seed and position."""

from copy import copy
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor

from genlab.core.condition import Condition
from genlab.core.pixels import to_network_input
from genlab.core.random import Draws, generator
from genlab.data.dataset import InMemory, Split
from genlab.data.network_input import cut
from genlab.data.tasks import Task

ROOM = 0.5  # share of a GPU's free memory that the data may take


class Stream:
    """Rows of the shuffled data, cropped, flipped and normalised on the device.

    Row p of a player's endless stream is image p mod N of epoch p div N; every epoch has its own order. Where a
    batch is cut and mirrored is a function of its draws: of the same draws an image and its source move as one.
    """

    def __init__(
        self,
        split: Split,
        *,
        seed: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        flip: bool = False,
        crop: int | None = None,  # pixels a side, anywhere within each image
        task: Task | None = None,  # makes the sources of images
        condition: Condition | None = None,  # the kind of what models are told
        scale: float = 1.0,  # points are divided by it
        channels_last: bool = False,
    ) -> None:
        self.seed, self.device, self.dtype, self.flip, self.scale = seed, device, dtype, flip, scale
        self.crop, self.task, self.condition = crop, task, condition
        self.other: Stream | None = None  # of pictures that images are to be made from, and that are no partners
        layout = channels_last and split.images.ndim == 4
        self.layout = torch.channels_last if layout else torch.contiguous_format
        place = device if fits(split, device) else split.images.device
        self.images = split.images.to(place)
        self.conditions = None if split.labels is None else split.labels.to(place)
        self.order = lru_cache(maxsize=4)(self._order)

    @classmethod
    def of(cls, data: InMemory, **placing: Any) -> "Stream":
        """Return the stream of a data set's training images; `placing`: seed, device, dtype and channels_last."""
        kind = {"task": data.task, "condition": data.spec.condition, "scale": data.spec.scale}
        return cls(data.pool, flip=data.flip, crop=data.crop, **kind, **placing)

    def rows(self, player: str, position: int, count: int) -> Tensor:
        """Indices [count] of the rows from `position` on, where the images are."""
        epoch, offset = divmod(position, len(self.images))
        indices = self.order(player, epoch)[offset : offset + count]
        if len(indices) == count:
            return indices
        return torch.cat([indices, self.rows(player, position + len(indices), count - len(indices))])

    def batch(self, player: str, position: int, draws: Draws) -> Tensor:
        """[N, C, H, W] in [-1, 1], or points [N, D]: the rows that `draws` is for, of the batch from `position` on."""
        images = self._mine(self.images, player, position, draws)
        if images.dtype != torch.uint8:
            return images.to(self.dtype).div_(self.scale)
        return to_network_input(self._moved(images, draws), self.dtype, self.layout)

    def labels(self, player: str, position: int, draws: Draws) -> Tensor:
        """Return what models are told of the same rows, as networks read it.

        Pictures of another kind come in an order of their own.
        """
        if self.other is not None:
            return self.other.batch(f"{player}/source", position, draws)
        if self.task is not None:
            labels = self.task(self.batch(player, position, draws), draws.of("task"))
        else:
            labels = self._mine(self.conditions, player, position, draws)
            labels = self._moved(labels, draws) if self.condition.has_source else labels
        return self.condition.as_input(labels, self.dtype)

    def labelled(self, player: str, position: int, draws: Draws) -> tuple[Tensor, Tensor]:
        """As `batch` and `labels`, from an endless stream of the labelled images alone."""
        return self._labelled.batch(player, position, draws), self._labelled.labels(player, position, draws)

    @cached_property
    def _labelled(self) -> "Stream":
        rows = (self.conditions >= 0).nonzero().squeeze(1)
        if len(rows) == len(self.images):
            return self
        part = copy(self)
        part.images, part.conditions = self.images[rows], self.conditions[rows]
        part.order = lru_cache(maxsize=4)(part._order)
        return part

    def _mine(self, table: Tensor, player: str, position: int, draws: Draws) -> Tensor:
        rows = self.rows(player, position + draws.start, draws.stop - draws.start)
        return table.index_select(0, rows).to(self.device, non_blocking=True)

    def _moved(self, pictures: Tensor, draws: Draws) -> Tensor:
        """Cut and mirrored, every picture in its own way."""
        if self.crop is not None:
            chances, room = draws.uniform("crop", 2), (side - self.crop + 1 for side in pictures.shape[2:])
            pictures = cut(pictures, self.crop, *((chances[:, axis] * most).long() for axis, most in enumerate(room)))
        if not self.flip:
            return pictures
        return torch.where(draws.uniform("flip", 1, 1, 1) < 0.5, pictures.flip(-1), pictures)

    def _order(self, player: str, epoch: int) -> Tensor:
        source = generator(self.seed, "order", player, epoch)
        return torch.randperm(len(self.images), generator=source).to(self.images.device)


def fits(split: Split, device: torch.device) -> bool:
    """Whether the data may live on the device: always in main memory, on a GPU if they leave room."""
    if device.type != "cuda":
        return device.type == "cpu"
    free, _ = torch.cuda.mem_get_info(device)
    return sum(part.nbytes for part in split if part is not None) <= ROOM * free
