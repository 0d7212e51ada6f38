"""Combinations that cannot work, refused before anything runs."""

from __future__ import annotations

from typing import Any

from genlab.errors import ConfigError
from genlab.trainers import System
from genlab.trainers.turns import has_batch_norm


def check(system: System, config: dict[str, Any]) -> None:
    """Raises ConfigError for the first combination that makes no sense."""
    refuse_batch_norm_under_gradient_penalty(system)
    refuse_clipping_under_gradient_penalty(system, config)


def refuse_batch_norm_under_gradient_penalty(system: System) -> None:
    for name, penalty in system.penalties.items():
        if penalty.refuses_batch_norm and has_batch_norm(system.model.players[penalty.on]):
            raise ConfigError(
                f"penalty={name} with batch normalisation in the {penalty.on}: the penalty bounds each image's own "
                f"slope, which batch normalisation mixes (Gulrajani et al. 2017, section 4). "
                f"Set model.{penalty.on}.norm=layer (or instance, none)."
            )


def refuse_clipping_under_gradient_penalty(system: System, config: dict[str, Any]) -> None:
    clip = config["trainer"].get("clip_weights")
    names = [name for name, penalty in system.penalties.items() if penalty.refuses_batch_norm]
    if clip is not None and names:
        raise ConfigError(
            f"trainer.clip_weights={clip} with penalty={names}: both hold the critic Lipschitz, and clipped weights "
            "cannot reach the penalty's target. Set trainer.clip_weights=null or penalty=[]."
        )
