"""Training batches from an endless shuffled stream, a pure function of seed and position."""

from copy import copy
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor

from genlab.core.base_condition import Condition
from genlab.core.pixels import to_network_input
from genlab.core.random import Draws, generator
from genlab.data.dataset import InMemory, Split
from genlab.data.sizes import crop_at
from genlab.data.tasks import Task

MAX_MEMORY_SHARE = 0.5  # of a GPU's free memory, for the data


class Stream:
    """An endless stream of shuffled images, cropped, flipped and normalised on the device.

    Row p of a player's stream is image p mod N of epoch p div N; every epoch has its own order. Crops and flips depend
    on the draws alone, so an image and its source change together.
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
        task: Task | None = None,  # makes source pictures of images
        condition: Condition | None = None,  # the kind of condition
        scale: float = 1.0,  # points are divided by it
        channels_last: bool = False,
    ) -> None:
        self.seed, self.device, self.dtype, self.flip, self.scale = seed, device, dtype, flip, scale
        self.crop, self.task, self.condition = crop, task, condition
        self.other: Stream | None = None  # of unpaired source pictures
        layout = channels_last and split.images.ndim == 4
        self.layout = torch.channels_last if layout else torch.contiguous_format
        place = device if fits_on(split, device) else split.images.device
        self.images = split.images.to(place)
        self.conditions = None if split.labels is None else split.labels.to(place)
        self.order = lru_cache(maxsize=4)(self._permutation)

    @classmethod
    def of(cls, data: InMemory, **placing: Any) -> "Stream":
        """Return the stream of a data set's training images; `placing`: seed, device, dtype and channels_last."""
        kind = {"task": data.task, "condition": data.spec.condition, "scale": data.spec.scale}
        return cls(data.pool, flip=data.flip, crop=data.crop, **kind, **placing)

    def rows(self, player: str, position: int, count: int) -> Tensor:
        """Return the indices [count] of the images from `position` on, on the images' device."""
        epoch, offset = divmod(position, len(self.images))
        indices = self.order(player, epoch)[offset : offset + count]
        if len(indices) == count:
            return indices
        return torch.cat([indices, self.rows(player, position + len(indices), count - len(indices))])

    def batch(self, player: str, position: int, draws: Draws) -> Tensor:
        """Return the rows of `draws` of the batch from `position` on: [N, C, H, W] in [-1, 1], or points [N, D]."""
        images = self._take_rows(self.images, player, position, draws)
        if images.dtype != torch.uint8:
            return images.to(self.dtype).div_(self.scale)
        return to_network_input(self._crop_and_flip(images, draws), self.dtype, self.layout)

    def labels(self, player: str, position: int, draws: Draws) -> Tensor:
        """Return the conditions of the same rows as network input; unpaired sources have an order of their own."""
        if self.other is not None:
            return self.other.batch(f"{player}/source", position, draws)
        if self.task is not None:
            labels = self.task(self.batch(player, position, draws), draws.of("task"))
        else:
            labels = self._take_rows(self.conditions, player, position, draws)
            labels = self._crop_and_flip(labels, draws) if self.condition.has_source else labels
        return self.condition.as_input(labels, self.dtype)

    def labelled_batch(self, player: str, position: int, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return `batch` and `labels` from an endless stream of the labelled images alone."""
        part = self._labelled_part
        return part.batch(player, position, draws), part.labels(player, position, draws)

    @cached_property
    def _labelled_part(self) -> "Stream":
        rows = (self.conditions >= 0).nonzero().squeeze(1)
        if len(rows) == len(self.images):
            return self
        part = copy(self)
        part.images, part.conditions = self.images[rows], self.conditions[rows]
        part.order = lru_cache(maxsize=4)(part._permutation)
        return part

    def _take_rows(self, table: Tensor, player: str, position: int, draws: Draws) -> Tensor:
        rows = self.rows(player, position + draws.start, draws.stop - draws.start)
        return table.index_select(0, rows).to(self.device, non_blocking=True)

    def _crop_and_flip(self, pictures: Tensor, draws: Draws) -> Tensor:
        if self.crop is not None:
            chances, room = draws.uniform("crop", 2), (side - self.crop + 1 for side in pictures.shape[2:])
            pictures = crop_at(
                pictures, self.crop, *((chances[:, axis] * most).long() for axis, most in enumerate(room))
            )
        if not self.flip:
            return pictures
        return torch.where(draws.uniform("flip", 1, 1, 1) < 0.5, pictures.flip(-1), pictures)

    def _permutation(self, player: str, epoch: int) -> Tensor:
        source = generator(self.seed, "order", player, epoch)
        return torch.randperm(len(self.images), generator=source).to(self.images.device)


def fits_on(split: Split, device: torch.device) -> bool:
    """Return whether the data may be stored on the device: the CPU, or a GPU with room to spare."""
    if device.type != "cuda":
        return device.type == "cpu"
    free, _ = torch.cuda.mem_get_info(device)
    return sum(part.nbytes for part in split if part is not None) <= MAX_MEMORY_SHARE * free
