"""Extractors without a network of genlab: the pixels themselves, and any network or function of the user's."""

import hashlib
import inspect
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.metrics.extractors.extractor import Extractor, require_images

MAX_FEATURES = 12_288  # 3 x 64 x 64: their covariance takes 1.2 GB


class ResizedExtractor(Extractor):
    """Resizes images to a fixed size, or leaves them as they are."""

    def __init__(self, size: Count | None = None) -> None:  # pixels a side; null: as they are
        self.size = size

    @property
    def resize_rule(self) -> str:
        return "none" if self.size is None else f"bilinear with antialiasing, {self.size} x {self.size}"

    def resize(self, images: Tensor) -> Tensor:
        if self.size is None:
            return images
        return interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)


class Pixels(ResizedExtractor):
    """The pixels as features, [N, C * H * W]: no network, for any images; near means alike pixel by pixel."""

    name = "pixels"

    def check(self, spec: Spec) -> None:
        """Raise ConfigError for points, and for images whose covariance would not fit into memory."""
        require_images(spec)
        shape = unpadded_shape(spec)[:1] + ((self.size, self.size) if self.size else unpadded_shape(spec)[1:])
        if shape[0] * shape[1] * shape[2] > MAX_FEATURES:
            raise ConfigError(
                f"metrics.extractor shows the pixels, and images are {' x '.join(map(str, shape))}: expected "
                f"{MAX_FEATURES:,} values or fewer. Set metrics.extractor.size=32."
            )

    def _load(self) -> nn.Module:
        return nn.Identity()

    def _features(self, images: Tensor) -> Tensor:
        return self.resize(images).flatten(1)


class CustomExtractor(ResizedExtractor):
    """Any network, method of one, or function (a `_target_`): float images [N, C, H, W] in [-1, 1] -> [N, D].

    Records hold its name and a hash over weights, structure and arguments, or over a function's source. The hash does
    not cover what a function reads from elsewhere: give the network itself, or a method of it.
    """

    def __init__(
        self,
        call: Callable[[Tensor], Tensor],
        *,
        name: str | None = None,  # in records; null: that of the class or function
        size: Count | None = None,  # pixels a side that images are resized to; null: as they are
        colour: bool = False,  # grey images as three equal channels
    ) -> None:
        super().__init__(size)
        self.call, self.colour = call, colour
        self.name = name or qualified_name(call)

    @cached_property
    def identity(self) -> str:
        """Return the SHA-256 of the name, the resize rule, every weight, and how they are used."""
        return hashlib.sha256(f"{super().identity} {self.colour} {describe_call(self.call)}".encode()).hexdigest()

    def check(self, spec: Spec) -> None:
        require_images(spec)
        shape = unpadded_shape(spec)
        try:
            found = self(torch.zeros(2, *shape))
        except (RuntimeError, TypeError, ValueError) as error:
            raise ConfigError(
                f"metrics.extractor.call={self.name}: cannot read images {' x '.join(map(str, shape))} ({error}). "
                "metrics.extractor.size=N resizes them, metrics.extractor.colour=true shows grey as three channels."
            ) from error
        if found.ndim != 2 or len(found) != 2:
            raise ConfigError(
                f"metrics.extractor.call={self.name}: found features {list(found.shape)} for 2 images, expected [2, D]."
            )

    def _load(self) -> nn.Module:
        """Return the network whose weights count: the callable itself, or the one it is a method of."""
        owner = getattr(self.call, "__self__", self.call)
        return owner if isinstance(owner, nn.Module) else nn.Identity()

    def _features(self, images: Tensor) -> Tensor:
        _ = self.network  # loading puts it into evaluation mode
        images = self.resize(images)
        found = self.call(images.expand(-1, 3, -1, -1) if self.colour else images)
        if not isinstance(found, Tensor):
            raise TypeError(f"it gave a {type(found).__name__}, expected a tensor [N, D]")
        return found


def unpadded_shape(spec: Spec) -> tuple[int, int, int]:
    """Return (channels, height, width) of images without the data set's padding."""
    return spec.channels, spec.height - 2 * spec.padding, spec.width - 2 * spec.padding


def qualified_name(call: Any) -> str:
    named = call.func if isinstance(call, partial) else call
    named = named if hasattr(named, "__qualname__") else type(named)
    return f"{named.__module__}.{named.__qualname__}"


def describe_call(call: Any) -> str:
    """Return what weights do not tell: a network's layers, or a function's source and arguments."""
    if isinstance(call, partial):
        return f"{describe_call(call.func)} {call.args} {sorted(call.keywords.items())}"
    if isinstance(call, nn.Module):
        return str(call)
    try:
        return inspect.getsource(call if hasattr(call, "__qualname__") else type(call))
    except (OSError, TypeError):  # built in, or typed into a console
        return qualified_name(call)
