"""What networks, metrics and pictures need to know of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from torch import Tensor

from genlab.core.condition import Attributes, Classes, Condition, condition_of
from genlab.core.errors import ConfigError
from genlab.core.picture import Picture
from genlab.core.renamed_paths import rename_targets
from genlab.core.words import Words

Kind = TypeVar("Kind", bound=Condition)


@dataclass(frozen=True)
class Spec:
    """Facts of images [N, channels, height, width], or of points [N, channels] without height and width."""

    channels: int
    height: int | None  # pixels, padding included; None: points
    width: int | None
    images: int  # in the training split
    condition: Condition | None = None  # what a model can be told of each image
    padding: int = 0  # pixels a side that the data set added around each image
    scale: float = 1.0  # what networks see, times this, is in the data's own units

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Spec:
        """Return the spec that `facts` described, also by way of JSON or in the form of older checkpoints."""
        facts = rename_targets(facts)
        known = {field.name: facts[field.name] for field in fields(cls) if field.name in facts}
        stored = facts.get("condition")
        return cls(**known | {"condition": condition_of(stored) if stored else older_condition(facts)})

    def facts(self) -> dict[str, Any]:
        """Return plain values for a file."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"condition": None if self.condition is None else self.condition.facts()}

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of one image, (D,) of one point."""
        return (
            (self.channels,) if self.height is None or self.width is None else (self.channels, self.height, self.width)
        )

    @property
    def condition_size(self) -> int | None:
        """Return how many numbers a label has as a vector: one-hot classes, attributes, a bag of words.

        None: nothing to condition on. Raises ConfigError for a picture: a network that asks could do nothing with one.
        """
        return None if self.condition is None else self.condition.size

    @property
    def has_source(self) -> bool:
        """Return whether each image is to be made from a picture."""
        return self.condition is not None and self.condition.has_source

    @property
    def class_count(self) -> int | None:
        """Return how many classes a model can be asked for; None: it is asked for none."""
        return None if self.condition is None else self.condition.class_count

    @property
    def unconditional(self) -> Spec:
        """The same data without labels and sources: a network built for it takes no condition."""
        return replace(self, condition=None)

    @property
    def reversed(self) -> Spec:
        """The source pictures, to be made from the images. Raises ConfigError without them."""
        source = self.require_source()
        sides = {"channels": source.channels, "height": source.height, "width": source.width}
        return replace(self, **sides, condition=Picture(*self.shape))

    def classes_of(self, condition: Tensor | None, names: Sequence[str] = ()) -> Tensor | None:
        """Return the class int64 [N] that each label of a batch asks for, -1 for none; None: they ask for none."""
        if condition is None or self.condition is None:
            return None
        return self.condition.classes_of(condition, names)

    def require(self, kind: type[Kind], refusal: str) -> Kind:
        """Return the condition, of the one kind that a network or score can do with. Raises ConfigError for others."""
        if not isinstance(self.condition, kind):
            raise ConfigError(refusal)
        return self.condition

    def require_images(self) -> None:
        """Raises ConfigError for points."""
        if self.height is None:
            raise ConfigError("this network is for images, the data are points: choose model=gan, or other data.")

    def require_source(self) -> Picture:
        """Return what each image is to be made from. Raises ConfigError for data without sources."""
        return self.require(
            Picture,
            "this network makes an image from a picture, and the data have none beside their images. Set "
            "data.task=edges (or grayscale, inpainting, ...), or choose data=pairs.",
        )

    def require_source_of_its_size(self) -> Picture:
        """Return the same. Raises ConfigError for data whose sources are of another size than images, or not there."""
        source = self.require_source()
        if source.shape[1:] != (self.height, self.width):
            raise ConfigError(
                f"sources of {source.width} x {source.height} pixels for images of {self.width} x {self.height}: "
                "this network keeps the size. Choose model=super_resolution for smaller sources, or another data.task."
            )
        return source

    def crop(self, images: Tensor) -> Tensor:
        """[N, C, H, W] without the padding that the data set added."""
        if not self.padding:
            return images
        inner = slice(self.padding, -self.padding)
        return images[..., inner, inner]


def older_condition(facts: dict[str, Any]) -> Condition | None:
    """Return the condition that files name in one level of facts, as they did before conditions had classes."""
    if facts.get("source"):
        return replace(Picture(*facts["source"]), classes=facts.get("source_classes"))
    if facts.get("words"):
        return Words(tuple(facts["words"]), facts["length"])
    if facts.get("attributes"):
        return Attributes(facts["attributes"])
    return Classes(facts["classes"]) if facts.get("classes") else None
