"""A picture as a condition, from which translating models make an image."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from genlab.core.base_condition import Condition
from genlab.core.errors import ConfigError
from genlab.core.pixels import round_network_input, to_network_input
from genlab.core.random import generator
from genlab.core.user_values import as_numbers, as_typed


@dataclass(frozen=True)
class Picture(Condition):
    """Labels are source pictures uint8 [N, channels, height, width], from which images are made.

    With `classes` they are label maps of one channel, with values from 0 to `classes` - 1; other values are no class.
    """

    channels: int
    height: int
    width: int
    classes: int | None = None

    has_source: ClassVar[bool] = True

    @property
    def size(self) -> int:
        raise ConfigError(
            "this network is told classes, attributes or words, and the condition of these data is a picture. "
            "Choose model=pix2pix, or data without sources (data.task=null)."
        )

    @property
    def input_channels(self) -> int:
        """Return the channels of the network input: a label map is one-hot."""
        return self.classes or self.channels

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    @property
    def description(self) -> str:
        kind = f"label maps of {self.classes} classes" if self.classes else "pictures"
        return f"{kind} of {' x '.join(map(str, self.shape))}"

    @property
    def how_to_ask(self) -> str:
        return "mode=translate input=FILE_OR_FOLDER (or genlab.load(...).translate(images))"

    def embedding(self, width: int) -> nn.Module:
        return nn.Linear(self.size, width)  # raises ConfigError

    def as_input(self, labels: Tensor, dtype: torch.dtype) -> Tensor:
        """Return label maps [N, 1, H, W] as [N, classes, H, W] of 0 and 1, other pictures in [-1, 1]."""
        if self.classes:
            return (labels == torch.arange(self.classes, device=labels.device).view(-1, 1, 1)).to(dtype)
        return to_network_input(labels, dtype) if labels.dtype == torch.uint8 else round_network_input(labels)

    def stand_ins(self) -> Tensor:
        """Return one picture of noise; instance normalisation would enlarge the rounding errors of a constant one."""
        shape = (1, *self.shape)
        return torch.randint(self.classes or 256, shape, generator=generator("blank"), dtype=torch.uint8)

    def check(self, labels: Tensor, images: Tensor) -> None:
        if labels.dtype != torch.uint8 or images.ndim != 4 or labels.shape[2:] != images.shape[2:]:
            raise ConfigError(
                f"the pictures beside images are {labels.dtype} of shape {list(labels.shape)}: expected torch.uint8, "
                f"and the height and width of the images, whose shape is {list(images.shape)}."
            )
        if self.classes and labels.shape[1] != 1:
            raise ConfigError(
                f"source_classes={self.classes}: label maps have one channel, and these {labels.shape[1]}."
            )

    def parse(self, given: Any, key: str = "classes") -> Tensor:
        as_numbers(given, self.description, key)
        raise ConfigError(
            f"{key}={as_typed(given)}: this model is told pictures. Leave {key} out, and use {self.how_to_ask}."
        )
