"""What to type when memory runs out: the same batches, in more and smaller pieces."""

from math import gcd
from pathlib import Path
from typing import Any

import torch

from genlab.build.runs import read_config
from genlab.core import distributed
from genlab.core.changes import change_word
from genlab.core.command_words import path_word
from genlab.core.trust import trust_word

OTHERWISE = "choose a smaller trainer.batch_size, data.size, or narrower networks"
MIN_PIECE = 2  # images: batch normalisation and losses that compare images need so many


def ran_out_of_memory(error: Exception) -> bool:
    """Tell by the message too: on a CPU and on MPS torch raises a plain RuntimeError."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(word in str(error) for word in words)


def describe_remedy(settings: dict[str, Any], run_dir: Path) -> str:
    """Return what to type instead: of a run that has begun, the words to resume it with."""
    begun = (run_dir / "config.yaml").exists()
    settings = read_config(run_dir) if begun else settings
    pieces = more_pieces(settings["trainer"])
    if pieces is None:
        return f"In a new run {OTHERWISE}."
    if begun:
        change = change_word({"trainer.accumulate": pieces})
        words = f"{path_word('resume', run_dir)}{trust_word(settings)} {change}"
        return f"Train on with the same batches in smaller pieces: {words}."
    return f"Set trainer.accumulate={pieces}: the same batches in smaller pieces. Or {OTHERWISE}."


def more_pieces(trainer: dict[str, Any]) -> int | None:
    """Return the next larger `trainer.accumulate` that cuts every batch evenly; None: there is none."""
    if "accumulate" not in trainer:  # a trainer that cuts nothing
        return None
    share = gcd(int(trainer["batch_size"]), *(trainer.get("batch_sizes") or {}).values()) // distributed.world_size()
    larger = range(int(trainer["accumulate"]) + 1, share // MIN_PIECE + 1)
    return next((pieces for pieces in larger if share % pieces == 0), None)
