"""Starting points of a projection: latents, and the conditions to try."""

from typing import Any

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.trainers.sample_stream import TrainedRun


def starts_of(run: TrainedRun, conditions: Tensor | None, *, count: int, seed: int) -> tuple[Tensor, Tensor | None]:
    """Return latents [count x conditions, ...] of the law, and the condition of each: `count` of every condition."""
    draws = Draws((seed, "projection"), count, 0, count, run.device)
    z = run.model.latent.draw(draws).float()
    if conditions is None:
        return z, None
    return z.repeat(len(conditions), *[1] * (z.ndim - 1)), conditions.repeat_interleave(count, 0)


def conditions(run: TrainedRun, asked: Any) -> Tensor | None:
    """Return the conditions to try, one a row; None for an unconditional model. Raises ConfigError if none fits."""
    condition = run.spec.condition
    if condition is None or not run.model.conditional:
        if asked is not None:
            raise ConfigError(f"class={asked}: this model is told no class. Leave it out.")
        return None
    if condition.has_source:
        raise ConfigError(
            f"{run.run_dir}: this model makes an image from a picture, so there is no latent to search for. Use "
            "python -m genlab.sample mode=translate input=PICTURE."
        )
    labels = condition.every() if asked is None else condition.parse_typed(asked, "class")
    if labels is None:
        example = f"class={condition.how_to_ask.partition('=')[2]}"
        raise ConfigError(
            f"class=null: this model is told {condition.description}; say which the image shows: {example}."
        )
    return condition.as_input(labels, torch.float32).to(run.device)
