"""Condition: the interface of what images are conditioned on. Other code never asks for the kind."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from genlab.core.random import Draws

MAX_COUNTED = 10_000  # labels that are searched for the most frequent


@dataclass(frozen=True)
class Condition(ABC):
    """A kind of condition: a frozen dataclass of plain values, which checkpoints store with the path of its class.

    Labels are one tensor [N, ...] with a row for each image, as data sets hold them. `as_input` turns them into
    network input.
    """

    has_source: ClassVar[bool] = False  # labels are source pictures, cropped and mirrored with their images
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

    def attributes_of(self, labels: Tensor, names: Sequence[str]) -> Tensor | None:
        """Return whether labels name each of these attributes, bool [N, K]; None: labels of this kind do not tell."""
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
    def attribute_names(self) -> tuple[str, ...]:
        """Return the names of attributes 0, 1, ...; (): labels give none, or none that has a name."""
        return ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """Return the names of classes or attributes 0, 1, ...; (): they have none but their numbers."""
        return ()

    def agrees_with(self, other: "Condition | None") -> bool:
        """Return whether labels mean the same as another condition's. Without names, as in older files, any fit."""
        return self == other

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
    def full_description(self) -> str:
        """Return the description for a model card, with the meaning of every number in a label."""
        return self.description

    @property
    def how_to_ask(self) -> str:
        """Return an example of what a user can write."""
        return "classes=[...]"

    @property
    def grid_lines(self) -> Literal["rows", "columns"] | None:
        """Return which lines of a sample grid show one label each; None: neither."""
        return None

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
        return most_frequent(labels, count) if every is None else every[:count]

    def caption(self, label: Tensor) -> str:
        """Return one label as text beside a picture."""
        return " ".join(f"{value:g}" for value in label.flatten().tolist())

    # For files

    @property
    def names_in_files(self) -> dict[str, tuple[str, ...]]:
        """Return the names that saved samples keep beside their labels, by key."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Return plain values from which `condition_from_facts` rebuilds the condition."""
        return {"_target_": f"{type(self).__module__}.{type(self).__qualname__}", **asdict(self)}


def in_turn(labels: Tensor, start: int, count: int) -> Tensor:
    """Return rows `start` to `start + count` of labels that are repeated without end."""
    return labels[torch.arange(start, start + count, device=labels.device) % len(labels)]


def most_frequent(labels: Tensor, count: int) -> Tensor:
    """Return the most frequent rows among the first labels, [at most `count`, ...]."""
    rows = Counter(
        map(tuple, labels[:MAX_COUNTED].flatten(1).tolist() if labels.ndim > 1 else labels[:, None].tolist())
    )
    found = [row for row, _ in rows.most_common(count)]
    return torch.tensor(found, dtype=labels.dtype).view(len(found), *labels.shape[1:])
