"""A rehearsed step, which finds what batch normalisation cannot do with single images before a run begins."""

from copy import deepcopy

from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.models.layer_contract import has_batch_norm
from genlab.trainers.trainer import Trainer

TORCHS_REFUSAL = "Expected more than 1 value per channel"  # of a channel that has one value in the whole batch


def refuse_single_images(trainer: Trainer) -> None:
    """Raise ConfigError if a network normalises over a batch and its backward passes see too few values.

    Maps of more than one pixel give a single image several values a channel, so only a step can tell. It is taken
    where a pass sees one image, and taken back: all state is as before.
    """
    pieces = trainer.engine.accumulate * distributed.world_size()
    if trainer.batch_size > pieces or not any(has_batch_norm(player.module) for player in trainer.players.values()):
        return
    before = deepcopy({name: part.state_dict() for name, part in trainer.parts.items()})
    try:
        trainer.take_step()
    except ValueError as error:
        if TORCHS_REFUSAL not in str(error):
            raise
        raise ConfigError(describe_refusal(trainer, pieces)) from error
    for name, part in trainer.parts.items():
        part.load_state_dict(before[name])


def describe_refusal(trainer: Trainer, pieces: int) -> str:
    choice = f"trainer.batch_size={trainer.batch_size}"
    accumulate, ranks = trainer.engine.accumulate, distributed.world_size()
    shared = [f"trainer.accumulate={accumulate}"] * (accumulate > 1) + [f"{ranks} ranks"] * (ranks > 1)
    if shared:
        choice += f" over {' and '.join(shared)}"
    fewer = ", or trainer.accumulate=1" if accumulate > 1 else ""
    return (
        f"{choice}: a backward pass sees one image, and this model's batch normalisation needs two or more. "
        f"Set trainer.batch_size={2 * pieces}{fewer}."
    )
