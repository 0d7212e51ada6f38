"""What networks, metrics and pictures need to know of a data set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from genlab.core.errors import ConfigError


@dataclass(frozen=True)
class Spec:
    """Of images [N, channels, height, width], or of points [N, channels], which have no height and width."""

    channels: int
    height: int | None  # pixels, padding included; None: points
    width: int | None
    images: int  # in the training split
    classes: int | None = None  # labels are 0 ... classes - 1
    attributes: int | None = None  # labels are vectors of so many numbers
    words: tuple[str, ...] | None = None  # labels are sequences of words: 0 is none, k the k-th of these
    length: int | None = None  # of these sequences
    source: tuple[int, int, int] | None = None  # (C, H, W) of the picture that each image is to be made from
    source_classes: int | None = None  # it is a label map [1, H, W] of values 0 ... source_classes - 1
    padding: int = 0  # pixels a side that the data set added around each image
    scale: float = 1.0  # what networks see, times this, is in the data's own units

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Spec:
        """From what `asdict` made of one, also by way of JSON, which knows no tuples."""
        return cls(**{name: tuple(fact) if isinstance(fact, list) else fact for name, fact in facts.items()})

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of one image, (D,) of one point."""
        return (self.channels,) if self.height is None else (self.channels, self.height, self.width)

    @property
    def condition_size(self) -> int | None:
        """Of a one-hot class, a vector of attributes or a bag of words; None: nothing to condition on.

        Raises ConfigError for a picture: a network that asks for this could do nothing with one.
        """
        if self.source:
            raise ConfigError(
                "this network is told classes, attributes or words, and the condition of these data is a picture. "
                "Choose model=pix2pix, or data without sources (data.task=null)."
            )
        return self.classes or self.attributes or len(self.words or ()) or None

    @property
    def conditioned(self) -> bool:
        """Is there anything to tell a model of an image?"""
        return bool(self.classes or self.attributes or self.words or self.source)

    @property
    def source_channels(self) -> int:
        """Of the source as networks see it: a label map is one-hot. Raises ConfigError without one."""
        self.require_source()
        return self.source_classes or self.source[0]

    @property
    def unconditional(self) -> Spec:
        """The same data without labels and sources: a network built for it takes no condition."""
        nothing = dict.fromkeys(("classes", "attributes", "words", "length", "source", "source_classes"))
        return replace(self, **nothing)

    @property
    def reversed(self) -> Spec:
        """The source pictures, to be made from the images. Raises ConfigError without them."""
        self.require_source()
        channels, height, width = self.source
        return replace(self, channels=channels, height=height, width=width, source=self.shape)

    def require_images(self) -> None:
        """Raises ConfigError for points."""
        if self.height is None:
            raise ConfigError("this network is for images, the data are points: choose model=gan, or other data.")

    def require_source(self) -> None:
        """Raises ConfigError for data whose images have no source picture."""
        if not self.source:
            raise ConfigError(
                "this network makes an image from a picture, and the data have none beside their images. Set "
                "data.task=edges (or grayscale, inpainting, ...), or choose data=pairs."
            )

    def require_source_of_its_size(self) -> None:
        """Raises ConfigError for data whose sources are of another size than images, or not there."""
        self.require_source()
        if self.source[1:] != (self.height, self.width):
            raise ConfigError(
                f"sources of {self.source[2]} x {self.source[1]} pixels for images of {self.width} x {self.height}: "
                "this network keeps the size. Choose model=super_resolution for smaller sources, or another data.task."
            )

    def crop(self, images: Tensor) -> Tensor:
        """[N, C, H, W] without the padding that the data set added."""
        if not self.padding:
            return images
        inner = slice(self.padding, -self.padding)
        return images[..., inner, inner]
