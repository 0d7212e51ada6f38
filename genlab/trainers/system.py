"""What a trainer is given: the system that it trains, and the run that it is part of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from genlab.data import InMemory
from genlab.trainers.schedules import Constant

if TYPE_CHECKING:
    from genlab.data.augment import Augmentation
    from genlab.losses import AdversarialLoss, Penalty
    from genlab.trainers.callback import Callback


@dataclass(frozen=True)
class System:
    """What is trained, on what."""

    model: nn.Module
    data: InMemory
    loss: AdversarialLoss
    penalties: dict[str, Penalty]
    augmentations: dict[str, Augmentation]  # of what the discriminator is shown, in this order
    optimizers: dict[str, Callable[..., torch.optim.Optimizer]]  # one a player: parameters -> optimizer
    schedule: Constant  # (images, total) -> factor on every learning rate


@dataclass(frozen=True)
class Run:
    """Where a run lives and how it is watched."""

    dir: Path
    seed: int
    config: dict[str, Any]
    callbacks: dict[str, Callback]
