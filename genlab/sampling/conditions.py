"""Conditions for samples of a conditional model, from what a user asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from genlab.core.base_condition import Condition, in_turn
from genlab.core.errors import ConfigError
from genlab.core.user_values import as_typed
from genlab.data.blank_dataset import Blank
from genlab.trainers.sample_stream import TrainedRun

Texts = str | Sequence[str]


@dataclass(frozen=True)
class GivenCondition:
    """A condition as the user gave it: its value, its key, and whether it was typed."""

    value: Any
    key: str = "classes"  # or words
    typed: bool = False  # on a command line, where a number may be the name of a class

    def __str__(self) -> str:
        return f"{self.key}={as_typed(self.value)}"


Classes = int | Sequence[int] | Texts | Tensor | GivenCondition | None


def conditions(run: TrainedRun, start: int, count: int, given: Classes, *, required: bool = False) -> Tensor | None:
    """Return the conditions of images `start` to `start + count`: the given ones in turn; None: unconditional model.

    By default all conditions take turns, or those of the run's own data if they cannot be listed. With `required` the
    user must choose. Raises ConfigError for conditions that the model does not know.
    """
    condition = condition_of(run, given)
    if condition is None:
        return None
    if given is None and required:
        raise ConfigError(f"{run.run_dir}: the model is told what an image shows: give classes=[...], one an image.")
    labels = labels_of(condition, given)
    if labels is not None:
        labels = in_turn(labels.to(run.device), start, count)
        return condition.as_input(labels, run.dtype)
    if isinstance(run.data, Blank):
        raise ConfigError(
            f"{run.run_dir}: the model is told {condition.description}, and a checkpoint holds none of any image. "
            f"Say what to show, {condition.how_to_ask}, or take what the training images have: real=true."
        )
    return run.sample_conditions(start, count)


def condition_of(run: TrainedRun, given: Classes) -> Condition | None:
    """Return the kind of condition; None: unconditional model. Raises ConfigError if one was given all the same."""
    if run.model.conditional:
        return run.spec.condition
    if given is not None:
        asked = as_asked(given)
        raise ConfigError(
            f"{asked}: this model ({run.run_dir}) was trained without classes and words and is told none. Leave "
            f"{asked.key} out, or train a conditional one, such as model=cgan_conv or text_gan."
        )
    return None


def labels_of(condition: Condition, given: Classes) -> Tensor | None:
    """Return the given labels, by default all there are; None: too many to list."""
    if given is None:
        return condition.every()
    asked = as_asked(given)
    return (condition.parse_typed if asked.typed else condition.parse)(asked.value, asked.key)


def as_asked(given: Classes) -> GivenCondition:
    return given if isinstance(given, GivenCondition) else GivenCondition(given)


def classes_or_words(
    classes: Classes, words: Texts | None, conditions: Any = None, *, typed: bool = False
) -> GivenCondition | None:
    """Return the one that is given; None: none. Raises ConfigError for several."""
    if not isinstance(classes, GivenCondition | None):
        classes = GivenCondition(classes, typed=typed)
    asked = [] if classes is None else [classes]
    asked += [] if conditions is None else [GivenCondition(conditions, "conditions", typed)]
    asked += [] if words is None else [GivenCondition(words, "words")]
    if len(asked) > 1:
        raise ConfigError(f"{' '.join(map(str, asked))}: a model is told one of them. Drop the others.")
    return asked[0] if asked else None
