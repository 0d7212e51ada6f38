"""Tasks, which make a source picture of any image, so that a model learns the way back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
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

SOURCE_CHUNK = 50  # rows whose sources are made from one batch of draws
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601, as Pillow converts
SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


class Task(ABC):
    """A function from (images [N, C, H, W] in [-1, 1], draws) to source pictures of `shape`, in [-1, 1].

    With `classes` they are label maps [N, 1, H, W] of whole numbers from 0 to `classes` - 1.
    """

    classes: ClassVar[int | None] = None

    def shape(self, images: Shape) -> Shape:
        """Return the shape of a source for images of a shape. Raises ConfigError for unusable images."""
        return images

    @abstractmethod
    def __call__(self, images: Tensor, draws: Draws) -> Tensor: ...


@dataclass(frozen=True)
class Edges(Task):
    """Draw edges as dark lines on white: the magnitude of Sobel's gradient of the luminance.

    A step from black to white is black, half a step half as dark. With a threshold, lines are black where the magnitude
    is above it, and white elsewhere.
    """

    threshold: Share | None = None  # as a share of a step from black to white; null: grey levels

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
    """Remove the colours: only the luminance remains."""

    def shape(self, images: Shape) -> Shape:
        if images[0] == 1:
            raise ConfigError("data.task=grayscale: the images are grey already. Choose another task.")
        return (1, *images[1:])

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return luminance(images)


@dataclass(frozen=True)
class LowResolution(Task):
    """Shrink images by a factor, bicubic and antialiased; sides must be multiples of the factor."""

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
    """Cover a random square of the image with grey."""

    side: ProperShare = 0.5  # of the square, as a share of the image's

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        places = draws.uniform("hole", 2)
        down, right = (stretch_mask(places[:, axis : axis + 1], images.shape[2 + axis], self.side) for axis in (0, 1))
        return images.masked_fill((down.unsqueeze(2) & right.unsqueeze(1)).unsqueeze(1), 0.0)


@dataclass(frozen=True)
class Denoising(Task):
    """Add normal noise, clamped to black and white."""

    deviation: NonNegative = 0.5  # of values in [-1, 1]

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return GaussianNoise(self.deviation)(images, draws).clamp(-1, 1)


@dataclass(frozen=True)
class Rotation(Task):
    """Rotate by quarter turns to the left."""

    turns: Count = 1

    def shape(self, images: Shape) -> Shape:
        channels, height, width = images
        return (channels, width, height) if self.turns % 2 else images

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return images.rot90(self.turns, (2, 3))


@dataclass(frozen=True)
class Segments(Task):
    """Make a label map: 0 is dark, 1 the outline of bright regions, 2 their inside.

    Pixels are bright if their luminance is above the threshold. Bright pixels that touch a dark one, also at a corner,
    are outline; nothing beyond the image is dark. The same rule recovers the map from a model's output.
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
TaskChoice = TaskName | Task  # with other values: data.task={_target_:genlab.data.tasks.Edges,threshold:0.2}
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
    """Return the luminance [N, 1, H, W] of images [N, C, H, W]; the mean unless there are three channels."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    return (images * torch.tensor(LUMA, dtype=images.dtype, device=images.device).view(3, 1, 1)).sum(1, keepdim=True)


def stretch_mask(chance: Tensor, length: int, share: float) -> Tensor:
    """Return bool [N, length]: true in a stretch of a share of the length, placed by `chance` [N, 1] in [0, 1)."""
    size = round(length * share)
    first = (chance * (length - size + 1)).floor()
    places = torch.arange(length, device=chance.device)
    return (places >= first) & (places < first + size)


def source_chunks(start: int, count: int) -> Iterator[tuple[slice, Draws]]:
    """Yield slices of rows, counted from `start`, with draws that depend on the rows alone and not on `start`."""
    for number in range(start // SOURCE_CHUNK, -(-(start + count) // SOURCE_CHUNK)):
        first, last = max(start, number * SOURCE_CHUNK), min(start + count, (number + 1) * SOURCE_CHUNK)
        rows = (position - number * SOURCE_CHUNK for position in (first, last))
        yield slice(first - start, last - start), Draws(("source", number), SOURCE_CHUNK, *rows, torch.device("cpu"))
