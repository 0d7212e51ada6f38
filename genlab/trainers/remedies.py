"""What to type when a run goes wrong: the same run, trained on with other values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from genlab.core.changes import change_word, value_of
from genlab.core.checkpoint import newest_first
from genlab.core.command_words import path_word
from genlab.core.trust import trust_word

if TYPE_CHECKING:
    from genlab.trainers.trainer import Trainer

CLIP_NORM = 1.0  # of gradients, where a run diverged without a bound: healthy ones are around it


def after_divergence(trainer: Trainer) -> str:
    """Return how to train on after a number was not finite; "" for a model that is not trained by gradients."""
    rates = halve_values(trainer, [f"optimizer.{name}.lr" for name in trainer.players])
    if not rates:
        return ""
    kept = "The last good checkpoint is kept: train on from there"
    begun = kept if newest_first(trainer.run_dir / "checkpoints") else "No checkpoint was due yet: begin again"
    words = f"{begun} at half the learning rates, {with_values(trainer, rates)}"
    if trainer.engine.clip.active:
        return f"{words}."
    return f"{words}, or with bounded gradients, {with_values(trainer, {'trainer.clip_gradients': CLIP_NORM})}."


def halve_values(trainer: Trainer, keys: Iterable[str]) -> dict[str, Any]:
    """Return half the value of each key that the run's config gives a positive number."""
    values = {key: value_of(trainer.config, key) for key in keys}
    numbers = {key: value for key, value in values.items() if isinstance(value, int | float) and value > 0}
    return {key: float(f"{value / 2:.4g}") for key, value in numbers.items()}


def with_values(trainer: Trainer, values: dict[str, Any]) -> str:
    """Return the words that let a run train on with other values, longer if it is complete."""
    return in_this_run(trainer, change_word(values))


def in_this_run(trainer: Trainer, word: str) -> str:
    """Return the words that resume a run with one more word, and let it go on if it is complete."""
    longer = f" trainer.images={2 * trainer.total_images}" if trainer.images >= trainer.total_images else ""
    return f"{path_word('resume', trainer.run_dir)}{trust_word(trainer.config)} {word}{longer}"
