"""What to type against a problem that the health monitor found."""

from typing import Any

from genlab.callbacks.early_stop import EarlyStop
from genlab.callbacks.health_advice import PUBLISHED_CLIP
from genlab.callbacks.health_rules import Finding
from genlab.core.changes import value_of
from genlab.trainers import remedies
from genlab.trainers.trainer import Trainer

PATIENCE = 3  # intervals between scores


def describe_remedy(trainer: Trainer, finding: Finding) -> str:
    """Return a sentence with the words to train on with; "" where only another run can help."""
    words = words_against(trainer, finding)
    return f"To train on so once it has stopped (Ctrl-C): {words}." if words else ""


def words_against(trainer: Trainer, finding: Finding) -> str:
    if finding.kind == "worsening":
        return stop_early(trainer, finding.metric)
    values = values_against(trainer, finding)
    return remedies.with_values(trainer, values) if values else ""


def stop_early(trainer: Trainer, metric: str) -> str:
    names = [name for name, callback in trainer.callbacks.items() if isinstance(callback, EarlyStop)]
    if not names:
        return ""
    patience = PATIENCE * (value_of(trainer.config, "metrics.every") or trainer.total_images)
    key = f"callbacks.{names[0]}"
    return remedies.in_this_run(trainer, f"{key}.monitor={metric} {key}.patience={patience}")


def values_against(trainer: Trainer, finding: Finding) -> dict[str, Any]:
    """Return the values to change, by key; {} for what no change of a running system cures."""
    if finding.kind == "stalled" and (trainer.clip_weights or PUBLISHED_CLIP) < PUBLISHED_CLIP:
        return {"trainer.clip_weights": PUBLISHED_CLIP}
    return remedies.halve_values(trainer, finding.lower)
