"""What networks, metrics and pictures need to know of a data set."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from genlab.errors import ConfigError


@dataclass(frozen=True)
class Spec:
    """Of images [N, channels, height, width], or of points [N, channels], which have no height and width."""

    channels: int
    height: int | None  # pixels, padding included; None: points
    width: int | None
    images: int  # in the training split
    classes: int | None = None  # labels are 0 ... classes - 1
    attributes: int | None = None  # labels are vectors of so many numbers
    padding: int = 0  # pixels a side that the data set added around each image
    scale: float = 1.0  # what networks see, times this, is in the data's own units

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of one image, (D,) of one point."""
        return (self.channels,) if self.height is None else (self.channels, self.height, self.width)

    @property
    def condition_size(self) -> int | None:
        """Of a one-hot class or a vector of attributes; None: nothing to condition on."""
        return self.classes or self.attributes

    @property
    def unconditional(self) -> Spec:
        """The same data without its labels: a network built for it takes no condition."""
        return replace(self, classes=None, attributes=None)

    def require_images(self) -> None:
        """Raises ConfigError for points."""
        if self.height is None:
            raise ConfigError("this network is for images, the data are points: choose model=gan, or other data.")

    def crop(self, images: Tensor) -> Tensor:
        """[N, C, H, W] without the padding that the data set added."""
        if not self.padding:
            return images
        inner = slice(self.padding, -self.padding)
        return images[..., inner, inner]
