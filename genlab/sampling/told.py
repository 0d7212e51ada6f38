"""What a conditional model is asked to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.data.blank import Blank
from genlab.errors import ConfigError

if TYPE_CHECKING:
    from genlab.trainers.trainer import Trainer

Classes = int | Sequence[int] | Tensor | None


def conditions(trainer: Trainer, start: int, count: int, classes: Classes, *, sure: bool = False) -> Tensor | None:
    """Of images `start` to `start + count`: classes [count] in turn or attributes [count, K]; None: unconditional.

    With `sure` it is wrong to choose for the user. Raises ConfigError for classes that there are not.
    """
    if not trainer.model.conditional:
        refuse(trainer, classes)
        return None
    if classes is None and sure:
        raise ConfigError(
            f"{trainer.run_dir}: the model is told what an image shows: give classes=[...], one an image."
        )
    if trainer.spec.source:
        return sources(trainer, start, count, classes)
    if trainer.spec.classes is None:
        return attributes(trainer, start, count, classes)
    listed = range(trainer.spec.classes) if classes is None else numbers(trainer.spec.classes, classes)
    rows = torch.arange(start, start + count) % len(listed)
    return torch.tensor(listed)[rows].to(trainer.device)


def refuse(trainer: Trainer, classes: Classes) -> None:
    if classes is not None:
        raise ConfigError(
            f"classes={shown(classes)}: this model ({trainer.run_dir}) was trained without classes and is told none. "
            "Leave classes out, or train a conditional one, such as model=cgan_conv."
        )


def numbers(known: int, classes: Classes) -> list[int]:
    listed = torch.as_tensor(classes).reshape(-1).tolist()
    if not listed or any(label not in range(known) for label in listed):
        raise ConfigError(f"classes={shown(classes)}: expected whole numbers from 0 to {known - 1}, one or several.")
    return [int(label) for label in listed]


def attributes(trainer: Trainer, start: int, count: int, given: Classes) -> Tensor:
    """[count, K]: rows that were given, else those of training images."""
    size = trainer.spec.attributes
    if given is not None:
        rows = torch.as_tensor(given, dtype=trainer.engine.dtype)
        if rows.ndim != 2 or rows.shape[1] != size or len(rows) < start + count:
            raise ConfigError(
                f"classes of shape {list(rows.shape)}: this model is told {size} attributes an image, [n, {size}] "
                "numbers, which only genlab.load(...).sample(n, classes=...) takes. Leave classes out."
            )
        return rows[start : start + count].to(trainer.device)
    if isinstance(trainer.data, Blank):
        raise ConfigError(
            f"{trainer.run_dir}: the model is told {size} attributes, of which a checkpoint holds none. "
            "Take those of the training images: real=true."
        )
    return trainer.sample_conditions(start, count)


def sources(trainer: Trainer, start: int, count: int, given: Classes) -> Tensor:
    """Pictures [count, C, H, W] that images are made from: those of the run's data."""
    if given is not None:
        raise ConfigError(f"classes={shown(given)}: this model is told pictures, no classes. Leave classes out.")
    if isinstance(trainer.data, Blank):
        raise ConfigError(
            f"{trainer.run_dir}: the model makes images from pictures, of which a checkpoint holds none. Give yours "
            "(mode=translate input=FILE_OR_FOLDER; genlab.load(...).translate(images)), or take the data's: real=true."
        )
    return trainer.sample_conditions(start, count)


def shown(classes: Classes) -> str:
    return str(classes.tolist() if isinstance(classes, Tensor) else classes).replace(" ", "")
