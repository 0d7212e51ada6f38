"""Conditions of an image: a kind is one subclass of `Condition`. Other code never asks for the kind."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.core.user_values import as_numbers, as_word, class_numbers, list_names, quoted

MAX_LISTED = 12  # classes in a table
MAX_ASKED = 3  # names in an example of what to write


@dataclass(frozen=True)
class Condition(ABC):
    """A kind of condition: a frozen dataclass of plain values, which checkpoints store with the path of its class.

    Labels are one tensor [N, ...] with a row for each image, as data sets hold them. `as_input` turns them into
    network input.
    """

    has_source: ClassVar[bool] = False  # labels are source pictures, cropped and mirrored with their images
    grid_lines: ClassVar[Literal["rows", "columns"] | None] = None  # of a sample grid, each with one label
    saved_as_captions: ClassVar[bool] = False  # files beside saved samples hold captions and not numbers

    # For networks

    @property
    @abstractmethod
    def size(self) -> int:
        """Return the length of a label as a vector. Raises ConfigError for labels that are no vectors."""

    @property
    def concatenated_size(self) -> int:
        """Return the width of the embedding where networks concatenate it."""
        return self.size

    @abstractmethod
    def embedding(self, width: int) -> nn.Module:
        """Return a layer with `weight` from network input to [N, width]. Raises ConfigError as `size` does."""

    def as_input(self, labels: Tensor, dtype: torch.dtype) -> Tensor:
        """Return labels as network input; floating-point labels become `dtype`."""
        return labels.to(dtype) if labels.is_floating_point() else labels

    def input_batch(self, count: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return network input [count, ...] from stand-ins in turn, for use without data."""
        return self.as_input(in_turn(self.stand_ins(), 0, count), dtype)

    def reference_batch(self, draws: Draws) -> Tensor:
        """Return the network input for the reference batch of virtual batch normalisation."""
        return self.input_batch(draws.batch, draws.dtype)

    # For data sets and scores

    @abstractmethod
    def stand_ins(self) -> Tensor:
        """Return a few labels for use in place of the data's."""

    def check(self, labels: Tensor, images: Tensor) -> None:
        """Raise ConfigError if a data set's labels are not of this kind."""
        return None

    def classes_of(self, labels: Tensor, names: Sequence[str] = ()) -> Tensor | None:
        """Return the class int64 [N] of each label, -1 for none; None: labels of this kind name no class.

        `names` are the names of classes 0, 1, ...
        """
        return None

    @property
    def class_count(self) -> int | None:
        """Return the number of classes that labels name; None: they name none."""
        return None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the names of classes 0, 1, ...; (): they have none but their numbers."""
        return ()

    @property
    def fingerprint(self) -> str:
        """Return a text that distinguishes data sets whose label tensors are equal."""
        return ""

    # For users

    @property
    @abstractmethod
    def description(self) -> str:
        """Return a short description for messages: '10 classes'."""

    @property
    def legend(self) -> str:
        """Return how to read labels, for a model card; '': the description is enough."""
        return ""

    @property
    def how_to_ask(self) -> str:
        """Return an example of what a user can write."""
        return "classes=[...]"

    @abstractmethod
    def parse(self, given: Any, key: str = "classes") -> Tensor:
        """Return the labels that a user asks for with `key`=`given`. Raises ConfigError for impossible ones."""

    def parse_typed(self, given: Any, key: str = "classes") -> Tensor:
        """Return the labels for words of a command line, where a number may be a name."""
        return self.parse(given, key)

    def every(self) -> Tensor | None:
        """Return all labels there are; None: too many to list."""
        return None

    def samples_of(self, labels: Tensor, count: int) -> Tensor:
        """Return at most `count` of a data set's labels for a sample grid; called where `grid_lines` is set."""
        every = self.every()
        return (labels.unique(dim=0) if every is None else every)[:count]

    def caption(self, label: Tensor) -> str:
        """Return one label as text beside a picture."""
        return " ".join(f"{value:g}" for value in label.flatten().tolist())

    # For files

    def facts(self) -> dict[str, Any]:
        """Return plain values from which `condition_from_facts` rebuilds the condition."""
        return {"_target_": f"{type(self).__module__}.{type(self).__qualname__}", **asdict(self)}


def in_turn(labels: Tensor, start: int, count: int) -> Tensor:
    """Return rows `start` to `start + count` of labels that are repeated without end."""
    return labels[torch.arange(start, start + count, device=labels.device) % len(labels)]


@dataclass(frozen=True)
class Classes(Condition):
    """Labels int64 [N] from 0 to `count` - 1, -1 where the class is not known. Raises ConfigError for unfit names."""

    count: int
    names: tuple[str, ...] = ()  # of classes 0, 1, ...; (): numbers alone

    grid_lines: ClassVar[Literal["rows", "columns"] | None] = "columns"

    def __post_init__(self) -> None:
        if self.names and not len(set(self.names)) == len(self.names) == self.count:
            raise ConfigError(
                f"{self.count} classes with the names {list(self.names)}: expected as many, all different."
            )

    @property
    def size(self) -> int:
        return self.count

    @property
    def class_count(self) -> int:
        return self.count

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.names

    @property
    def description(self) -> str:
        return f"{self.count} classes" + (f" ({list_names(self.names, MAX_LISTED)})" if self.names else "")

    @property
    def legend(self) -> str:
        return f", by number: {list_names(self.names)}" if len(self.names) > MAX_LISTED else ""

    @property
    def how_to_ask(self) -> str:
        return f"classes=[{','.join(map(quoted, self.names[:MAX_ASKED]))}]" if self.names else super().how_to_ask

    def embedding(self, width: int) -> nn.Module:
        return nn.Embedding(self.count, width)

    def stand_ins(self) -> Tensor:
        return torch.arange(self.count)

    def every(self) -> Tensor:
        return torch.arange(self.count)

    def check(self, labels: Tensor, images: Tensor) -> None:
        if labels.ndim != 1 or labels.dtype != torch.int64 or labels.min() < -1 or labels.max() >= self.count:
            raise ConfigError(
                f"labels are {labels.dtype} of shape {list(labels.shape)}, with values from {labels.min()} to "
                f"{labels.max()}: expected torch.int64 [N], from 0 to {self.count - 1} for {self.count} classes, or -1."
            )

    def classes_of(self, labels: Tensor, names: Sequence[str] = ()) -> Tensor:
        return labels

    def parse(self, given: Any, key: str = "classes") -> Tensor:
        """Return int64 [n]. Texts are names if all of them are; else all are numbers, as numbers always are."""
        return torch.tensor(class_numbers(given, key, self.count, self.names), dtype=torch.int64)

    def parse_typed(self, given: Any, key: str = "classes") -> Tensor:
        """Return int64 [n]. On a command line 10 is the class of that name, if all that is asked for are names."""
        asked = [*map(as_word, given)] if isinstance(given, list) else as_word(given)
        return self.parse(asked if self.names else given, key)

    def caption(self, label: Tensor) -> str:
        number = int(label)
        return self.names[number] if self.names and number >= 0 else str(number)


@dataclass(frozen=True)
class Attributes(Condition):
    """Labels float32 [N, count]."""

    count: int

    @property
    def size(self) -> int:
        return self.count

    @property
    def description(self) -> str:
        return f"{self.count} attributes"

    @property
    def how_to_ask(self) -> str:
        return f"classes=[[...]] with {self.count} numbers in each row, in genlab.load(...).sample"

    def embedding(self, width: int) -> nn.Module:
        return nn.Linear(self.count, width, bias=False)

    def reference_batch(self, draws: Draws) -> Tensor:
        return draws.uniform("attributes", self.count).round()  # 0 or 1

    def stand_ins(self) -> Tensor:
        return torch.zeros(1, self.count)

    def parse(self, given: Any, key: str = "classes") -> Tensor:
        rows = as_numbers(given, self.description, key)
        rows = rows[None] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] != self.count or not len(rows):
            raise ConfigError(
                f"{key} of shape {list(rows.shape)}: this model is told {self.count} attributes; give as many, "
                f"{key}=[0,1,...], or rows of them, [n, {self.count}]."
            )
        return rows.float()
