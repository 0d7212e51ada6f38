"""Classes and attributes as conditions of an image: a kind is one subclass of `Condition`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.base_condition import Condition
from genlab.core.errors import ConfigError
from genlab.core.printable import one_line
from genlab.core.random import Draws
from genlab.core.user_values import (
    as_numbers,
    as_word,
    attribute_rows,
    class_numbers,
    is_text,
    list_names,
    quote_commas,
)

MAX_LISTED = 12  # names in a table
MAX_ASKED = 3  # names in an example of what to write


@dataclass(frozen=True)
class NamedLabels(Condition):
    """Classes or attributes, which may have names. Raises ConfigError for names that do not fit."""

    count: int
    names: tuple[str, ...] = ()  # of classes or attributes 0, 1, ...; (): numbers alone

    noun: ClassVar[str]  # what a message calls several
    names_key: ClassVar[str]  # under which files hold the names

    def __post_init__(self) -> None:
        if self.names and not len(set(self.names)) == len(self.names) == self.count:
            raise ConfigError(
                f"{self.count} {self.noun} with the names {list(self.names)}: expected as many, all different."
            )

    @property
    def size(self) -> int:
        return self.count

    @property
    def label_names(self) -> tuple[str, ...]:
        return self.names

    def agrees_with(self, other: Condition | None) -> bool:
        if not isinstance(other, NamedLabels) or (type(self), self.count) != (type(other), other.count):
            return False
        return self.names == other.names or not (self.names and other.names)

    @property
    def description(self) -> str:
        return f"{self.count} {self.noun}" + (f" ({list_names(self.names, MAX_LISTED)})" if self.names else "")

    @property
    def full_description(self) -> str:
        return f"{self.count} {self.noun}" + (f" ({list_names(self.names)})" if self.names else "")

    @property
    def names_in_files(self) -> dict[str, tuple[str, ...]]:
        return {self.names_key: self.names} if self.names else {}


@dataclass(frozen=True)
class Classes(NamedLabels):
    """Labels int64 [N] from 0 to `count` - 1, -1 where the class is not known."""

    noun: ClassVar[str] = "classes"
    names_key: ClassVar[str] = "class_names"

    @property
    def class_count(self) -> int:
        return self.count

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.names

    @property
    def grid_lines(self) -> Literal["columns"]:
        return "columns"

    @property
    def how_to_ask(self) -> str:
        return (
            f"classes=[{one_line(','.join(map(quote_commas, self.names[:MAX_ASKED])))}]"
            if self.names
            else super().how_to_ask
        )

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
        """Return int64 [n]. Texts are read as names if all of them are names, else as numbers."""
        return torch.tensor(class_numbers(given, key, self.count, self.names), dtype=torch.int64)

    def parse_typed(self, given: Any, key: str = "classes") -> Tensor:
        """Return int64 [n]. A number is read as a name, such as 10, where all that is asked for are names."""
        asked = [*map(as_word, given)] if isinstance(given, list) else as_word(given)
        return self.parse(asked if self.names else given, key)

    def caption(self, label: Tensor) -> str:
        number = int(label)
        return self.names[number] if self.names and number >= 0 else str(number)


@dataclass(frozen=True)
class Attributes(NamedLabels):
    """Labels float32 [N, count]."""

    implies: tuple[tuple[str, str], ...] = ()  # (dark_glasses, glasses): whatever has the first has the second

    noun: ClassVar[str] = "attributes"
    names_key: ClassVar[str] = "attribute_names"

    @property
    def attribute_names(self) -> tuple[str, ...]:
        return self.names

    @property
    def grid_lines(self) -> Literal["rows"] | None:
        return "rows" if self.names else None

    @property
    def how_to_ask(self) -> str:
        if self.names:
            asked = one_line(quote_commas("+".join(self.names[:MAX_ASKED])))
            return f"classes={asked} (attributes that are 1; others are 0)"
        return f"classes=[[...]] with {self.count} numbers in each row"

    def embedding(self, width: int) -> nn.Module:
        return nn.Linear(self.count, width, bias=False)

    def reference_batch(self, draws: Draws) -> Tensor:
        return draws.uniform("attributes", self.count).round()  # 0 or 1

    def stand_ins(self) -> Tensor:
        return torch.zeros(1, self.count)

    def parse(self, given: Any, key: str = "classes") -> Tensor:
        """Return float32 [n, count] from names, as in `Male + Smiling`, or from rows of numbers."""
        if self.names and is_text(given):
            return self.with_implied(torch.tensor(attribute_rows(given, key, self.names)))
        rows = as_numbers(given, self.description, key)
        rows = rows[None] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] != self.count or not len(rows):
            raise ConfigError(
                f"{key} of shape {list(rows.shape)}: this model is told {self.count} attributes; give as many, "
                f"{key}=[0,1,...], or rows of them, [n, {self.count}]."
            )
        return rows.float()

    def with_implied(self, rows: Tensor) -> Tensor:
        """Return rows [n, count] with the attributes that others imply."""
        rows = rows.clone()
        for pair in self.implies:
            one, other = map(self.names.index, pair)
            rows[:, other] = torch.maximum(rows[:, one], rows[:, other])
        return rows

    def toggle(self, row: Tensor, number: int) -> Tensor:
        """Return a row [count] with one attribute turned on or off, and with it what it implies, or what implies it."""
        row, on = row.clone(), not row[number]
        row[number] = float(on)
        for one, other in self.implies:
            if self.names[number] == (one if on else other):
                row[self.names.index(other if on else one)] = float(on)
        return row

    def names_tied_to(self, name: str) -> set[str]:
        """Return an attribute and those that it implies, or that imply it: they do not change one without another."""
        return {name}.union(*(pair for pair in self.implies if name in pair))

    def attributes_of(self, labels: Tensor, names: Sequence[str]) -> Tensor | None:
        return labels > 0.5 if tuple(names) == self.names else None

    def caption(self, label: Tensor) -> str:
        if not self.names:
            return super().caption(label)
        values = zip(self.names, label.tolist(), strict=True)
        return " + ".join(name if value == 1 else f"{value:g} {name}" for name, value in values if value) or "none"
