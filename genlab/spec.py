"""What networks, metrics and pictures need to know of a data set."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Spec:
    channels: int
    height: int  # pixels, padding included
    width: int
    images: int  # in the training split
    classes: int | None = None
    padding: int = 0  # pixels a side that the data set added around each image

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        return self.channels, self.height, self.width

    def crop(self, images: Tensor) -> Tensor:
        """[N, C, H, W] without the padding that the data set added."""
        if not self.padding:
            return images
        inner = slice(self.padding, -self.padding)
        return images[..., inner, inner]
