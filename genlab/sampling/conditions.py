"""What a conditional model is asked to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.data.blank_dataset import Blank
from genlab.data.labels.words import asked

if TYPE_CHECKING:
    from genlab.core.spec import Spec
    from genlab.trainers.sample_stream import TrainedRun

Texts = str | Sequence[str]
Classes = int | Sequence[int] | Texts | Tensor | None
SHOWN = 12  # of the words that a model knows


def conditions(run: TrainedRun, start: int, count: int, classes: Classes, *, sure: bool = False) -> Tensor | None:
    """Of images `start` to `start + count`: classes [count] in turn, attributes [count, K] or words [count, L] in turn;
    None: unconditional.

    With `sure` it is wrong to choose for the user. Raises ConfigError for classes that there are not.
    """
    if not run.model.conditional:
        refuse(run, classes)
        return None
    if classes is None and sure:
        raise ConfigError(f"{run.run_dir}: the model is told what an image shows: give classes=[...], one an image.")
    if run.spec.words:
        return words(run, start, count, classes)
    refuse_texts(run, classes)
    if run.spec.source:
        return sources(run, start, count, classes)
    if run.spec.classes is None:
        return attributes(run, start, count, classes)
    listed = range(run.spec.classes) if classes is None else numbers(run.spec.classes, classes)
    rows = torch.arange(start, start + count) % len(listed)
    return torch.tensor(listed)[rows].to(run.device)


def refuse(run: TrainedRun, classes: Classes) -> None:
    if classes is not None:
        raise ConfigError(
            f"{key_of(classes)}={shown(classes)}: this model ({run.run_dir}) was trained without classes and words "
            f"and is told none. Leave {key_of(classes)} out, or train a conditional one, such as model=cgan_conv or "
            "text_gan."
        )


def refuse_texts(run: TrainedRun, given: Classes) -> None:
    if key_of(given) == "words":
        raise ConfigError(
            f"words={shown(given)}: this model ({run.run_dir}) is told {what(run.spec)}, and no words. "
            "Train one on data with words: model=text_gan data=mnist_words, or data.words=caption."
        )


def numbers(known: int, classes: Classes) -> list[int]:
    listed = torch.as_tensor(classes).reshape(-1).tolist()
    if not listed or any(label not in range(known) for label in listed):
        raise ConfigError(f"classes={shown(classes)}: expected whole numbers from 0 to {known - 1}, one or several.")
    return [int(label) for label in listed]


def words(run: TrainedRun, start: int, count: int, given: Classes) -> Tensor:
    """[count, L], of texts in turn; else those of training images. Raises ConfigError for words it does not know."""
    known = run.spec.words
    if given is None and isinstance(run.data, Blank):
        raise ConfigError(
            f"{run.run_dir}: the model is told words, and a checkpoint holds no captions. Say what to show, "
            f"words='{known[0]}' (it knows {some(known)}), or take those of the training images: real=true."
        )
    if given is None:
        return run.sample_conditions(start, count)
    if not isinstance(given, Tensor) and key_of(given) != "words":
        raise ConfigError(f"{shown(given)}: this model is told words. Say words='{known[0]}', or others.")
    rows = given if isinstance(given, Tensor) else asked(texts(given), known)
    return rows.to(run.device)[torch.arange(start, start + count, device=run.device) % len(rows)]


def texts(given: Texts) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def one_of(classes: Classes, words: Texts | None) -> Classes:
    """Raises ConfigError for both."""
    if classes is not None and words is not None:
        raise ConfigError(
            f"classes={shown(classes)} words={shown(words)}: a model is told one of them. Drop the other."
        )
    return classes if words is None else words


def key_of(given: Classes) -> str:
    """What it is called where it is given."""
    first = given[0] if isinstance(given, Sequence) and len(given) else given
    return "words" if isinstance(first, str) else "classes"


def what(spec: Spec) -> str:
    return "pictures" if spec.source else "classes" if spec.classes else "attributes"


def some(known: Sequence[str]) -> str:
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return ", ".join(known[:SHOWN]) + more


def attributes(run: TrainedRun, start: int, count: int, given: Classes) -> Tensor:
    """[count, K]: rows that were given, else those of training images."""
    size = run.spec.attributes
    if given is not None:
        rows = torch.as_tensor(given, dtype=run.dtype)
        if rows.ndim != 2 or rows.shape[1] != size or len(rows) < start + count:
            raise ConfigError(
                f"classes of shape {list(rows.shape)}: this model is told {size} attributes an image, [n, {size}] "
                "numbers, which only genlab.load(...).sample(n, classes=...) takes. Leave classes out."
            )
        return rows[start : start + count].to(run.device)
    if isinstance(run.data, Blank):
        raise ConfigError(
            f"{run.run_dir}: the model is told {size} attributes, of which a checkpoint holds none. "
            "Take those of the training images: real=true."
        )
    return run.sample_conditions(start, count)


def sources(run: TrainedRun, start: int, count: int, given: Classes) -> Tensor:
    """Pictures [count, C, H, W] that images are made from: those of the run's data."""
    if given is not None:
        raise ConfigError(f"classes={shown(given)}: this model is told pictures, no classes. Leave classes out.")
    if isinstance(run.data, Blank):
        raise ConfigError(
            f"{run.run_dir}: the model makes images from pictures, of which a checkpoint holds none. Give yours "
            "(mode=translate input=FILE_OR_FOLDER; genlab.load(...).translate(images)), or take the data's: real=true."
        )
    return run.sample_conditions(start, count)


def shown(classes: Classes) -> str:
    if key_of(classes) == "words":
        return str(classes)
    return str(classes.tolist() if isinstance(classes, Tensor) else classes).replace(" ", "")
