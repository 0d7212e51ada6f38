"""What a model can be told of an image: a class or attributes here, `words` and a `picture` in files of their own.

Whoever handles conditions asks them, and never which kind they are: a new kind is one subclass of `Condition`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws


@dataclass(frozen=True)
class Condition(ABC):
    """A kind of condition: a frozen dataclass of plain values, which checkpoints store together with its path.

    Labels are one tensor [N, ...], a row an image, as data sets hold them. Networks read what `as_input` makes of them.
    """

    has_source: ClassVar[bool] = False  # labels are pictures that images are made from, cut and mirrored with them
    grid_lines: ClassVar[Literal["rows", "columns"] | None] = None  # lines of a sample grid that show one label each

    # What networks ask

    @property
    @abstractmethod
    def size(self) -> int:
        """Return how many numbers a label has as a vector. Raises ConfigError if it is none."""

    @property
    def concatenated_size(self) -> int:
        """Return the width of the embedding where networks concatenate it."""
        return self.size

    @abstractmethod
    def embedding(self, width: int) -> nn.Module:
        """Return a layer with `weight`: inputs of `as_input` -> [N, width]. Raises ConfigError as `size` does."""

    def as_input(self, labels: Tensor, dtype: torch.dtype) -> Tensor:
        """Return labels as networks read them, numbers with a fraction in `dtype`."""
        return labels.to(dtype) if labels.is_floating_point() else labels

    def input_batch(self, count: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return `count` labels as networks read them where no data are known: stand-ins in turn."""
        return self.as_input(in_turn(self.stand_ins(), 0, count), dtype)

    def reference_batch(self, draws: Draws) -> Tensor:
        """Return what the reference batch of virtual batch normalisation is told."""
        return self.input_batch(draws.batch, draws.dtype)

    # What data sets and scores ask

    @abstractmethod
    def stand_ins(self) -> Tensor:
        """Return a few labels for use in place of the data's."""

    def check(self, labels: Tensor, images: Tensor) -> None:
        """Raises ConfigError if a data set's labels are not of this kind."""
        return None

    def classes_of(self, labels: Tensor, names: Sequence[str] = ()) -> Tensor | None:
        """Return the class int64 [N] that each label names, -1 for none. None: labels of this kind name no class.

        `names` are what classes 0, 1, ... are called.
        """
        return None

    @property
    def class_count(self) -> int | None:
        """Return how many classes labels name; None: they name none."""
        return None

    @property
    def fingerprint(self) -> str:
        """Return what tells two data sets apart whose labels are equal numbers."""
        return ""

    # What users ask and are told

    @property
    @abstractmethod
    def description(self) -> str:
        """Return what a model is told: '10 classes'."""

    @property
    def legend(self) -> str:
        """Return how to read labels, for a model card; '': the description says it all."""
        return ""

    @property
    def how_to_ask(self) -> str:
        """Return what a user can write, as an example."""
        return "classes=[...]"

    @abstractmethod
    def parse(self, given: Any, key: str = "classes") -> Tensor:
        """Return the labels that a user asks for with `key`=`given`. Raises ConfigError for what they cannot be."""

    def every(self) -> Tensor | None:
        """Return all labels there are; None: more than can be listed."""
        return None

    def samples_of(self, labels: Tensor, count: int) -> Tensor:
        """Return at most `count` of a data set's labels to show in a grid. Asked where `grid_lines` is set."""
        every = self.every()
        return (labels.unique(dim=0) if every is None else every)[:count]

    def caption(self, label: Tensor) -> str:
        """Return one label as text, to stand beside a picture."""
        return " ".join(f"{value:g}" for value in label.flatten().tolist())

    # What is stored

    def facts(self) -> dict[str, Any]:
        """Return plain values from which `condition_of` makes it again."""
        return {"_target_": f"{type(self).__module__}.{type(self).__qualname__}", **asdict(self)}


def condition_of(facts: dict[str, Any]) -> Condition:
    """Return what `Condition.facts` described, also by way of JSON. Raises ConfigError if its class is not found."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    path = values.pop("_target_")
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)(**values)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the model is told {path}, which cannot be imported ({error}). Set PYTHONPATH.") from error


def in_turn(labels: Tensor, start: int, count: int) -> Tensor:
    """Return rows `start` to `start + count` of labels that are repeated without end."""
    return labels[torch.arange(start, start + count, device=labels.device) % len(labels)]


def as_typed(given: Any) -> str:
    """Return what a user gave as it was typed."""
    return given if isinstance(given, str) else str(given.tolist() if isinstance(given, Tensor) else given)


def is_text(given: Any) -> bool:
    """Return whether a user gave a text, or texts."""
    return isinstance(given, str) or (isinstance(given, Sequence) and len(given) > 0 and isinstance(given[0], str))


def numbers(given: Any, told: Condition) -> Tensor:
    """Return what a user gave as a tensor. Raises ConfigError for texts."""
    if is_text(given):
        raise ConfigError(
            f"words={as_typed(given)}: this model is told {told.description}, and no words. Train one on data with "
            "words: model=text_gan data=mnist_words, or data.words=caption."
        )
    return torch.as_tensor(given)


@dataclass(frozen=True)
class Classes(Condition):
    """Labels int64 [N] from 0 to `count` - 1, -1 where the class is not known."""

    count: int

    grid_lines: ClassVar[Literal["rows", "columns"] | None] = "columns"

    @property
    def size(self) -> int:
        return self.count

    @property
    def class_count(self) -> int:
        return self.count

    @property
    def description(self) -> str:
        return f"{self.count} classes"

    def embedding(self, width: int) -> nn.Module:
        return nn.Embedding(self.count, width)

    def stand_ins(self) -> Tensor:
        return torch.arange(self.count)

    def every(self) -> Tensor:
        return torch.arange(self.count)

    def classes_of(self, labels: Tensor, names: Sequence[str] = ()) -> Tensor:
        return labels

    def parse(self, given: Any, key: str = "classes") -> Tensor:
        listed = numbers(given, self).reshape(-1).tolist()
        if not listed or any(label not in range(self.count) for label in listed):
            typed = as_typed(given).replace(" ", "")
            raise ConfigError(f"{key}={typed}: expected whole numbers from 0 to {self.count - 1}, one or several.")
        return torch.tensor(listed, dtype=torch.int64)


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
        return draws.uniform("attributes", self.count).round()  # there or not

    def stand_ins(self) -> Tensor:
        return torch.zeros(1, self.count)

    def parse(self, given: Any, key: str = "classes") -> Tensor:
        rows = numbers(given, self)
        rows = rows[None] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] != self.count or not len(rows):
            raise ConfigError(
                f"{key} of shape {list(rows.shape)}: this model is told {self.count} attributes; give as many, "
                f"{key}=[0,1,...], or rows of them, [n, {self.count}]."
            )
        return rows.float()
