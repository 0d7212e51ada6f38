"""How things train: the loop, its phases and turns, and the strategies that order them."""

from genlab.trainers.alternating import Alternating
from genlab.trainers.ema import EMA
from genlab.trainers.schedules import Constant, Cosine, Linear
from genlab.trainers.trainer import Run, System, Trainer
from genlab.trainers.turns import Losses, Phase, Player

__all__ = [
    "EMA",
    "Alternating",
    "Constant",
    "Cosine",
    "Linear",
    "Losses",
    "Phase",
    "Player",
    "Run",
    "System",
    "Trainer",
]
