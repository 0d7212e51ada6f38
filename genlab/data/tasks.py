"""Pairs from any images: what a model is shown in place of an image, which it is to give back."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, max_pool2d, pad

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.types import Count, NonNegative, ProperShare, Share
from genlab.data.corruption import GaussianNoise

Shape = tuple[int, int, int]  # (C, H, W)

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601, as Pillow converts
SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


class Task(ABC):
    """(images [N, C, H, W] in [-1, 1], draws) -> source pictures, as large as `shape` says, in [-1, 1].

    With `classes` they are label maps, [N, 1, H, W] of whole numbers below it.
    """

    classes: ClassVar[int | None] = None

    def shape(self, images: Shape) -> Shape:
        """Of the source of such images. Raises ConfigError if they have none."""
        return images

    @abstractmethod
    def __call__(self, images: Tensor, draws: Draws) -> Tensor: ...


@dataclass(frozen=True)
class Edges(Task):
    """Dark lines on white, as on paper: the magnitude of Sobel's gradient of the luminance.

    A step from black to white is black, a step half as high is half as dark; with a threshold lines are black where
    the magnitude is above it, and white elsewhere.
    """

    threshold: Share | None = None  # of a step from black to white; null: as dark as the step is high

    def shape(self, images: Shape) -> Shape:
        return (1, *images[1:])

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        kernel = torch.tensor(SOBEL, dtype=images.dtype, device=images.device) / 8  # a step of 2 has the slope 1
        framed = pad(luminance(images), [1] * 4, mode="replicate")
        slopes = conv2d(framed, torch.stack([kernel, kernel.T]).unsqueeze(1))
        height = slopes.square().sum(1, keepdim=True).sqrt().clamp(max=1)
        return 1 - 2 * (height if self.threshold is None else (height > self.threshold).to(images.dtype))


@dataclass(frozen=True)
class Grayscale(Task):
    """The luminance, to be coloured."""

    def shape(self, images: Shape) -> Shape:
        if images[0] == 1:
            raise ConfigError("data.task=grayscale: the images are grey already. Choose another task.")
        return (1, *images[1:])

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return luminance(images)


@dataclass(frozen=True)
class LowResolution(Task):
    """Smaller by a factor: bicubic and antialiased, the field's usual way; sides must be multiples of the factor."""

    factor: Count = 4

    def shape(self, images: Shape) -> Shape:
        channels, height, width = images
        if height % self.factor or width % self.factor:
            raise ConfigError(
                f"data.task=low_resolution: images of {width} x {height} pixels are no multiple of its factor, "
                f"{self.factor}. Set data.size={-(-max(height, width) // self.factor) * self.factor}."
            )
        return channels, height // self.factor, width // self.factor

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        size = self.shape(images.shape[1:])[1:]
        return interpolate(images, size=size, mode="bicubic", antialias=True).clamp(-1, 1)


@dataclass(frozen=True)
class Inpainting(Task):
    """A grey square, to be filled in: anywhere within the image."""

    side: ProperShare = 0.5  # of the square, as a share of the image's

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        places = draws.uniform("hole", 2)
        down, right = (within(places[:, axis : axis + 1], images.shape[2 + axis], self.side) for axis in (0, 1))
        return images.masked_fill((down.unsqueeze(2) & right.unsqueeze(1)).unsqueeze(1), 0.0)


@dataclass(frozen=True)
class Denoising(Task):
    """Normal noise, to be taken away; values beyond black and white are cut."""

    deviation: NonNegative = 0.5  # of values in [-1, 1]

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return GaussianNoise(self.deviation)(images, draws).clamp(-1, 1)


@dataclass(frozen=True)
class Rotation(Task):
    """Quarter turns to the left, to be turned back."""

    turns: Count = 1

    def shape(self, images: Shape) -> Shape:
        channels, height, width = images
        return (channels, width, height) if self.turns % 2 else images

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return images.rot90(self.turns, (2, 3))


@dataclass(frozen=True)
class Segments(Task):
    """A label map: 0 is dark, 1 the outline of what is bright, 2 the inside of it.

    Bright is a luminance above the threshold; of its pixels those are the outline that touch a dark one, at a corner
    too. Beyond the image nothing is dark. What a model makes of such a map can be told from the image by the same rule.
    """

    threshold: Share = 0.5  # of the way from black to white

    classes: ClassVar[int | None] = 3

    def shape(self, images: Shape) -> Shape:
        return (1, *images[1:])

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        bright = (luminance(images) > 2 * self.threshold - 1).to(images.dtype)
        return bright * (2 - max_pool2d(1 - bright, 3, stride=1, padding=1))


TaskName = Literal[
    "edges", "grayscale", "low_resolution", "low_resolution_2", "inpainting", "denoising", "rotation", "segments"
]
TaskChoice = TaskName | Task  # other values than a name's: data.task={_target_:genlab.data.tasks.Edges,threshold:0.2}
TASKS: dict[str, Callable[[], Task]] = {
    "edges": Edges,
    "grayscale": Grayscale,
    "low_resolution": LowResolution,
    "low_resolution_2": lambda: LowResolution(2),
    "inpainting": Inpainting,
    "denoising": Denoising,
    "rotation": Rotation,
    "segments": Segments,
}


def task_of(choice: TaskChoice) -> Task:
    if isinstance(choice, Task):
        return choice
    if choice not in TASKS:
        raise ConfigError(f"data.task={choice}: expected one of {', '.join(TASKS)}, or null.")
    return TASKS[choice]()


def luminance(images: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, 1, H, W]; of other than three channels their mean."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    return (images * torch.tensor(LUMA, dtype=images.dtype, device=images.device).view(3, 1, 1)).sum(1, keepdim=True)


def within(chance: Tensor, length: int, share: float) -> Tensor:
    """[N, length]: where a stretch of a share of the length lies, all of it inside; chance [N, 1] in [0, 1)."""
    size = round(length * share)
    first = (chance * (length - size + 1)).floor()
    places = torch.arange(length, device=chance.device)
    return (places >= first) & (places < first + size)
