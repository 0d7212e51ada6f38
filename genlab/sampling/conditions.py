"""Conditions for samples of a conditional model, from what a user asks for."""

from collections.abc import Sequence

from torch import Tensor

from genlab.core.condition import Condition, as_typed, in_turn, is_text
from genlab.core.errors import ConfigError
from genlab.data.blank_dataset import Blank
from genlab.trainers.sample_stream import TrainedRun

Texts = str | Sequence[str]
Classes = int | Sequence[int] | Texts | Tensor | None


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
        raise ConfigError(
            f"{key_name(given)}={as_typed(given)}: this model ({run.run_dir}) was trained without classes and words "
            f"and is told none. Leave {key_name(given)} out, or train a conditional one, such as model=cgan_conv or "
            "text_gan."
        )
    return None


def labels_of(condition: Condition, given: Classes) -> Tensor | None:
    """Return the given labels, by default all there are; None: too many to list."""
    return condition.every() if given is None else condition.parse(given, key_name(given))


def classes_or_words(classes: Classes, words: Texts | None) -> Classes:
    """Return the one that is given. Raises ConfigError for both."""
    if classes is not None and words is not None:
        raise ConfigError(
            f"classes={as_typed(classes)} words={as_typed(words)}: a model is told one of them. Drop the other."
        )
    return classes if words is None else words


def key_name(given: Classes) -> str:
    return "words" if is_text(given) else "classes"
