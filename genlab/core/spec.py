"""The facts of a data set that networks, metrics and pictures need."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from typing import Any, TypeVar

from torch import Tensor

from genlab.core.condition import Attributes, Classes, Condition
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
    condition: Condition | None = None  # of each image; None: unconditional
    padding: int = 0  # pixels a side that the data set added around each image
    scale: float = 1.0  # factor from network values of points to their own units
    value_range: tuple[float, float] | None = None  # values of picture files that are black and white; None: by depth
    source_range: tuple[float, float] | None = None  # the same of source pictures

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Spec":
        """Rebuild a spec from its `facts`, also read from JSON or an older checkpoint."""
        facts = rename_targets(facts)
        known = {field.name: facts[field.name] for field in fields(cls) if field.name in facts}
        known.setdefault("source_range", known.get("value_range"))  # older files have one range for both
        ranges = {name: tuple(known[name]) for name in ("value_range", "source_range") if known.get(name)}
        known |= ranges  # JSON knows lists alone
        stored = facts.get("condition")
        return cls(**known | {"condition": condition_from_facts(stored) if stored else older_condition(facts)})

    def facts(self) -> dict[str, Any]:
        """Return plain values for a file."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"condition": None if self.condition is None else self.condition.facts()}

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (C, H, W) of one image, (D,) of one point."""
        if self.height is None or self.width is None:
            return (self.channels,)
        return (self.channels, self.height, self.width)

    @property
    def description(self) -> str:
        """Return the facts as a table shows them: '60,000 images of 1 x 28 x 28, 10 classes'."""
        extras = [] if self.condition is None else [self.condition.description]
        extras += [f"{self.padding} px of padding"] if self.padding else []
        return ", ".join([f"{self.images:,} images of {' x '.join(map(str, self.shape))}", *extras])

    @property
    def condition_size(self) -> int | None:
        """Return the length of a label as a vector: one-hot classes, attributes, a bag of words. None: no condition.

        Raises ConfigError for a picture, which is no vector.
        """
        return None if self.condition is None else self.condition.size

    @property
    def has_source(self) -> bool:
        """Return whether each image is made from a source picture."""
        return self.condition is not None and self.condition.has_source

    @property
    def class_count(self) -> int | None:
        """Return the number of classes that conditions name; None: they name none."""
        return None if self.condition is None else self.condition.class_count

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the names of classes 0, 1, ...; (): they have none, or there are no classes."""
        return () if self.condition is None else self.condition.class_names

    @property
    def label_names(self) -> tuple[str, ...]:
        """Return the names of classes or attributes 0, 1, ...; (): they have none, or there is no condition."""
        return () if self.condition is None else self.condition.label_names

    @property
    def unconditional(self) -> "Spec":
        """Return the spec without the condition, for networks that take none."""
        return replace(self, condition=None)

    @property
    def source_spec(self) -> "Spec":
        """Return the spec for making source pictures from images. Raises ConfigError without sources."""
        source = self.require_source()
        shape = Picture(*self.shape)
        turned = replace(self, value_range=self.source_range, source_range=self.value_range, condition=shape)
        return replace(turned, channels=source.channels, height=source.height, width=source.width)

    def classes_of(self, condition: Tensor | None, names: Sequence[str] = ()) -> Tensor | None:
        """Return the class int64 [N] of each condition in a batch, -1 for none; None: they name no class."""
        if condition is None or self.condition is None:
            return None
        return self.condition.classes_of(condition, names)

    def require(self, kind: type[Kind], refusal: str) -> Kind:
        """Return the condition if it is of this kind. Raises ConfigError with the refusal if not."""
        if not isinstance(self.condition, kind):
            raise ConfigError(refusal)
        return self.condition

    def require_images(self) -> None:
        """Raise ConfigError for points."""
        if self.height is None:
            raise ConfigError("this network is for images, the data are points: choose model=gan, or other data.")

    def require_source(self) -> Picture:
        """Return the kind of source pictures. Raises ConfigError for data without sources."""
        return self.require(
            Picture,
            "this network makes an image from a picture, and the data have none beside their images. Set "
            "data.task=edges (or grayscale, inpainting, ...), or choose data=pairs.",
        )

    def require_source_of_its_size(self) -> Picture:
        """Return the kind of source pictures. Raises ConfigError if they are missing or not as large as images."""
        source = self.require_source()
        if source.shape[1:] != (self.height, self.width):
            raise ConfigError(
                f"sources of {source.width} x {source.height} pixels for images of {self.width} x {self.height}: "
                "this network keeps the size. Choose model=super_resolution for smaller sources, or another data.task."
            )
        return source

    def crop(self, images: Tensor) -> Tensor:
        """Return images [N, C, H, W] without the padding that the data set added."""
        if not self.padding:
            return images
        inner = slice(self.padding, -self.padding)
        return images[..., inner, inner]


def condition_from_facts(facts: dict[str, Any]) -> Condition:
    """Rebuild a condition from its `facts`, also read from JSON. Raises ConfigError if its class is not found."""
    values: dict[str, Any] = {name: with_tuples(value) for name, value in facts.items()}
    path = values.pop("_target_")
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)(**values)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the model is told {path}, which cannot be imported ({error}). Set PYTHONPATH.") from error


def with_tuples(value: Any) -> Any:
    """Return a value of JSON with tuples in place of lists."""
    return tuple(map(with_tuples, value)) if isinstance(value, list) else value


def older_condition(facts: dict[str, Any]) -> Condition | None:
    """Return the condition of a file written before conditions were classes, when facts named it directly."""
    if facts.get("source"):
        return replace(Picture(*facts["source"]), classes=facts.get("source_classes"))
    if facts.get("words"):
        return Words(tuple(facts["words"]), facts["length"])
    if facts.get("attributes"):
        return Attributes(facts["attributes"])
    return Classes(facts["classes"]) if facts.get("classes") else None
