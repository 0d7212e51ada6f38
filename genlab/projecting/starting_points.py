"""Where the search for a latent begins, and what a conditional model is told meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data.labels import words

if TYPE_CHECKING:
    from genlab.trainers.sample_stream import TrainedRun


def starts_of(run: TrainedRun, told: Tensor | None, *, count: int, seed: int) -> tuple[Tensor, Tensor | None]:
    """Latents [count x conditions, ...] of the law, and the condition of each: `count` rows of every one of `told`."""
    draws = Draws((seed, "projection"), count, 0, count, run.device)
    z = run.model.latent.draw(draws).float()
    if told is None:
        return z, None
    return z.repeat(len(told), *[1] * (z.ndim - 1)), told.repeat_interleave(count, 0)


def conditions(run: TrainedRun, asked: Any) -> Tensor | None:
    """Those to try, [K], [1, attributes] or [K, words]; None: it is told none. Raises ConfigError if there are none."""
    spec = run.spec
    if not run.model.conditional:
        if asked is not None:
            raise ConfigError(f"class={asked}: this model is told no class. Leave it out.")
        return None
    if spec.source:
        raise ConfigError(
            f"{run.run_dir}: this model makes an image from a picture, so there is no latent to search for. Use "
            "python -m genlab.sample mode=translate input=PICTURE."
        )
    if spec.classes:
        if asked is not None and (not isinstance(asked, int) or not 0 <= asked < spec.classes):
            raise ConfigError(f"class={asked}: expected 0 to {spec.classes - 1}, or null to try all.")
        return torch.arange(spec.classes, device=run.device)[slice(None) if asked is None else [asked]]
    if spec.words:
        given = [asked] if isinstance(asked, str) else asked or []
        return words.asked(given, spec.words, key="class").to(run.device)
    if not isinstance(asked, list) or len(asked) != spec.attributes:
        raise ConfigError(
            f"class={asked}: this model is told {spec.attributes} attributes; give as many: class=[0,1,...]."
        )
    return torch.tensor([asked], dtype=torch.float32, device=run.device)
