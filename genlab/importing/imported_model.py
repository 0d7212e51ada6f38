"""What a file of another program becomes."""

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor


@dataclass(frozen=True)
class ImportedModel:
    """A trained model, in the names and shapes of this program."""

    model: str  # a choice of `model=`
    words: dict[str, Any]  # values of keys, read from the shapes: {"model.generator.width": 32}
    channels: int  # of images
    size: tuple[int, int]  # height and width of images, in pixels
    classes: int  # that images are made of; 0: without
    networks: dict[str, dict[str, Tensor]]  # state dicts: "generator", "discriminator", and "ema", the average
    name: str  # of the architecture, for messages: StyleGAN2

    @property
    def description(self) -> str:
        """Return what the file holds: 'StyleGAN2 at 256 pixels without classes'."""
        return f"{self.name} at {describe_size(*self.size)} {describe_classes(self.classes)}"


def describe_size(height: int | None, width: int | None) -> str:
    return f"{height} pixels" if height == width else f"{width} x {height} pixels"


def describe_classes(count: int) -> str:
    return f"with {count} classes" if count else "without classes"


class Format(Protocol):
    """A kind of file. Both methods take what `reading.read_tree` returns."""

    def recognises(self, tree: Any) -> bool: ...

    def convert(self, tree: Any) -> ImportedModel:
        """Return the model. Raises ValueError, with the reason, for one that no network here computes."""
        ...
