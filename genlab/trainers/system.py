"""The inputs of a trainer: the system that it trains, its players, and the run that it is part of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from genlab.core.changes import entries_of
from genlab.core.errors import ConfigError
from genlab.data import InMemory
from genlab.models.contract import Model
from genlab.trainers.schedules import Constant

if TYPE_CHECKING:
    from genlab.data.augment import Augmentation
    from genlab.losses import AdversarialLoss, Penalty, Reconstruction
    from genlab.trainers.callback import Callback
    from genlab.trainers.trainer import Trainer


@dataclass(frozen=True)
class System:
    """Everything that is trained, and on which data."""

    model: Model
    data: InMemory
    loss: AdversarialLoss | Reconstruction
    penalties: dict[str, Penalty]
    augmentations: dict[str, Augmentation]  # of the discriminator's images, in this order
    optimizers: dict[str, Callable[..., torch.optim.Optimizer]]  # one a player: parameters -> optimizer
    schedule: Constant  # (images, total) -> factor on every learning rate


@dataclass(frozen=True)
class Run:
    """A run's directory, seed, config and callbacks."""

    dir: Path
    seed: int
    config: dict[str, Any]
    callbacks: dict[str, Callback]


@dataclass
class Player:
    """A network that is trained, and its optimizer."""

    name: str
    module: nn.Module
    optimizer: torch.optim.Optimizer
    turns: int = 0
    images_shown: int = 0  # in these turns: the position in the player's stream of images
    rates: list[float] = field(init=False)  # learning rate of each parameter group before schedules
    share: float = 1.0  # of turns that belong to no lazy penalty
    parameters: list[nn.Parameter] = field(init=False)
    options: list[dict[str, Any]] = field(init=False)  # of each parameter group, as the config has them

    def __post_init__(self) -> None:
        self.parameters = list(self.module.parameters())  # walking through the modules costs more than a kernel
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.options = self.copy_options()

    def copy_options(self) -> list[dict[str, Any]]:
        return [
            {name: group[name] for name in group.keys() - {"params", "lr"}} for group in self.optimizer.param_groups
        ]

    def keep_options(self, names: Collection[str]) -> None:
        """Set options back to the config's, after a state that was saved with other ones was loaded."""
        for group, options in zip(self.optimizer.param_groups, self.options, strict=True):
            group.update({name: value for name, value in options.items() if name in names})

    def freeze(self, frozen: bool) -> None:
        for parameter in self.parameters:
            parameter.requires_grad = not frozen

    def clear_gradients(self) -> None:
        """Replace the optimizer's `zero_grad`, whose hooks for profilers cost tens of microseconds a turn."""
        for parameter in self.parameters:
            parameter.grad = None

    def slow_down_for_lazy_turns(self, intervals: list[int]) -> None:
        """Lower rates and betas to make up for the turns of lazy penalties: Karras et al. 2020, appendix B."""
        self.share = 1 / (1 + sum(1 / every for every in intervals if every > 1))
        self.rates = [rate * self.share for rate in self.rates]
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = tuple(beta**self.share for beta in group["betas"])
        self.options = self.copy_options()

    def end_turn(self, images: int) -> None:
        self.turns += 1
        self.images_shown += images

    def set_rates(self, factor: float, beta2: float | None = None) -> None:
        """Set the learning rate of this turn and, if given, Adam's second beta."""
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
            if beta2 is not None and "betas" in group:
                group["betas"] = (group["betas"][0], beta2**self.share)


def bounds_critic(system: System, clip_weights: float | None) -> bool:
    """Return whether clipped weights, a penalty, or spectral norm and the like bound the discriminator's slope."""
    modules = system.model.players["discriminator"].modules()
    penalised = any(penalty.bounds_slope for penalty in system.penalties.values())
    return clip_weights is not None or penalised or any(map(is_parametrized, modules))


def players_of(system: System, strategy: type[Trainer]) -> dict[str, Player]:
    """Return the model's players with their optimizers. Raises ConfigError if the strategy trains other ones."""
    networks, optimizers = system.model.players, system.optimizers
    if not strategy.trained_players <= networks.keys():
        wanted = " and ".join(sorted(strategy.trained_players))
        raise ConfigError(
            f"trainer: {strategy.__name__} moves {wanted}, but the model's players are "
            f"{', '.join(sorted(networks)) or 'none'}. Choose the trainer that the model comes with."
        )
    if system.model.translates_both_ways != strategy.translates_both_ways:
        ways = ("either way", "one way") if strategy.translates_both_ways else ("one way", "either way")
        raise ConfigError(
            f"trainer: {strategy.__name__} trains networks that go {ways[0]}, and this model's go {ways[1]} "
            "between two kinds of pictures. Choose the trainer that the model comes with."
        )
    if networks.keys() != optimizers.keys():
        raise ConfigError(
            f"optimizer: has entries for {sorted(optimizers)}, but the model's players are {sorted(networks)}. "
            "Choose an optimizer that was made for this kind of model, or keep the model's own with another class: "
            f"'optimizer.{min(networks, default='PLAYER')}={{_target_: torch.optim.SGD, lr: 0.01}}'."
        )
    players = {name: Player(name, net, optimizers[name](net.parameters())) for name, net in networks.items()}
    for player in players.values():
        player.slow_down_for_lazy_turns(
            [penalty.every for penalty in system.penalties.values() if player.name in penalty.players]
        )
    return players


def keep_changed_options(players: dict[str, Player], config: dict[str, Any]) -> None:
    """Let changes of optimizers' options hold against those that a loaded state brought with it."""
    changed = [entry["key"].split(".") for entry in entries_of(config)]
    for name, player in players.items():
        player.keep_options([key[-1] for key in changed if key[:2] == ["optimizer", name]])
