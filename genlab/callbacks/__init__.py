"""What happens every so many images."""

from genlab.callbacks.base import Callback
from genlab.callbacks.checkpoint import Checkpoint
from genlab.callbacks.early_stop import EarlyStop
from genlab.callbacks.environment import Environment
from genlab.callbacks.grid import Grid
from genlab.callbacks.jsonl import JSONL
from genlab.callbacks.log import Log
from genlab.callbacks.progress import Progress
from genlab.callbacks.scores import Scores
from genlab.callbacks.summary import Summary
from genlab.callbacks.tensorboard import TensorBoard

__all__ = [
    "JSONL",
    "Callback",
    "Checkpoint",
    "EarlyStop",
    "Environment",
    "Grid",
    "Log",
    "Progress",
    "Scores",
    "Summary",
    "TensorBoard",
]
