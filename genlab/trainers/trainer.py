"""The loop: steps, callbacks between them, and the one list of parts that holds all state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from genlab.core import distributed
from genlab.core.checkpoint import stateful
from genlab.core.device import choose_device, precision_of
from genlab.core.errors import ConfigError, Diverged
from genlab.core.types import Count, Positive
from genlab.data import InMemory
from genlab.data.stream import Stream
from genlab.models.contract import Model
from genlab.trainers.ema import EMA
from genlab.trainers.sample_stream import Sampling
from genlab.trainers.schedules import Constant
from genlab.trainers.statistics import Statistics
from genlab.trainers.turns import Clip, Engine, Phase, Player, take_turn

if TYPE_CHECKING:
    from genlab.data.augment import Augmentation
    from genlab.losses import AdversarialLoss, Penalty
    from genlab.trainers.callback import Callback

STOP, SIGNAL, BACK = 1, 2, 3  # what a rank may wish after a step; the largest is done by all


@dataclass(frozen=True)
class System:
    """What is trained, on what."""

    model: Model
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


class WayBack(NamedTuple):
    """What a run is asked to become."""

    parts: dict[str, Any]  # an earlier state of each
    factor: float  # on the learning rates from then on


class Trainer(Sampling):
    """Everything a strategy shares. A strategy says in `take_step` which phases make up a step.

    Raises ConfigError for a model without the players that the strategy moves.
    """

    moves: ClassVar[frozenset[str]] = frozenset()  # players
    iterates: ClassVar[bool] = True  # in steps of a batch, so that a longer run goes further
    clip_weights: float | None = None  # bound on the critic's weights
    translates_both_ways: ClassVar[bool] = False  # trains models that do, and no others

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        images: Count,  # duration: real images shown
        batch_size: Count = 64,  # images a turn, over all ranks
        accumulate: Count = 1,  # backward passes a turn
        clip_gradients: Positive | dict[Literal["norm", "value"], Positive] | None = None,
        max_time: Positive | None = None,  # seconds after which the run saves and exits
        device: str = "auto",
        precision: Literal["float32", "bfloat16", "float64"] = "float32",
        deterministic: bool = False,  # bit-identical on CUDA too, at some cost
        channels_last: bool = True,
        ema: Callable[[nn.Module], EMA] | None = None,
    ) -> None:
        self.system = system
        self.model, self.data, self.loss = system.model, system.data, system.loss
        self.penalties, self.augmentations = system.penalties, system.augmentations
        self.run_dir, self.seed, self.config, self.callbacks = run.dir, run.seed, run.config, run.callbacks
        self.total_images, self.batch_size, self.max_time = images, batch_size, max_time
        self.device = choose_device(device, deterministic)
        dtype, autocast = precision_of(precision)
        check_batch(batch_size, accumulate, self.spec.images)
        for penalty in self.penalties.values():
            penalty.settle(self.spec, batch_size)
        self.engine = Engine(self.device, dtype, autocast, run.seed, batch_size, accumulate, clip_of(clip_gradients))
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model.to(self.device, dtype).to(memory_format=layout)
        self.players = self.make_players()
        self.ema = ema(self.model.generator, images) if ema else None
        self.channels_last = channels_last
        self.stream = self.stream_of(self.data)
        self.statistics = Statistics()
        self.images = self.step = self.resumed_from = 0
        self.rollbacks, self.rate_factor = 0, 1.0  # so often went back, and the factor on every rate since
        self.way_back: WayBack | None = None  # to be taken after this step
        self.stop_reason: str | None = None
        self.interrupted = False  # by a signal: what takes long is left out at the end
        self.started = time.monotonic()
        self.away = 0.0  # seconds that callbacks took; not those of ranks waiting for their device together

    def stream_of(self, data: InMemory) -> Stream:
        """Batches of the training images."""
        return Stream(
            data.pool,
            seed=self.seed,
            device=self.device,
            dtype=self.engine.dtype,
            flip=data.flip,
            crop=data.crop,
            task=data.task,
            condition=data.spec.condition,
            scale=data.spec.scale,
            channels_last=self.channels_last,
        )

    def make_players(self) -> dict[str, Player]:
        networks, optimizers = self.model.players, self.system.optimizers
        if not self.moves <= networks.keys():
            raise ConfigError(
                f"trainer: {type(self).__name__} moves {' and '.join(sorted(self.moves))}, but the model's players are "
                f"{', '.join(sorted(networks)) or 'none'}. Choose the trainer that the model comes with."
            )
        if self.model.translates_both_ways != self.translates_both_ways:
            ways = ("either way", "one way") if self.translates_both_ways else ("one way", "either way")
            raise ConfigError(
                f"trainer: {type(self).__name__} trains networks that go {ways[0]}, and this model's go {ways[1]} "
                "between two kinds of pictures. Choose the trainer that the model comes with."
            )
        if networks.keys() != optimizers.keys():
            raise ConfigError(
                f"optimizer: has entries for {sorted(optimizers)}, but the model's players are {sorted(networks)}. "
                "Choose an optimizer that was made for this kind of model."
            )
        players = {name: Player(name, net, optimizers[name](net.parameters())) for name, net in networks.items()}
        for player in players.values():
            player.make_room([penalty.every for penalty in self.penalties.values() if player.name in penalty.players])
        return players

    @property
    def parts(self) -> dict[str, Any]:
        """All state, by name; each part has `state_dict` and `load_state_dict`."""
        networks = {f"network/{name}": player.module for name, player in self.players.items()}
        optimizers = {f"optimizer/{name}": player.optimizer for name, player in self.players.items()}
        watchers = prefixed("callback", stateful(self.callbacks))
        average = {"ema": self.ema} if self.ema else {}
        terms = {"loss": self.loss} | prefixed("penalty", self.penalties) | prefixed("augment", self.augmentations)
        own = {"statistics": self.statistics, "position": self}
        return {**networks, **optimizers, **average, **stateful(terms), **watchers, **own}

    def state_dict(self) -> dict:
        turns = {name: player.turns for name, player in self.players.items()}
        shown = {name: player.shown for name, player in self.players.items()}
        slowed = {"rollbacks": self.rollbacks, "rate_factor": self.rate_factor}
        return {"images": self.images, "step": self.step, "turns": turns, "shown": shown} | slowed

    def load_state_dict(self, state: dict) -> None:
        self.images, self.step, self.resumed_from = state["images"], state["step"], state["images"]
        self.rollbacks, self.rate_factor = state.get("rollbacks", 0), state.get("rate_factor", 1.0)
        for name, turns in state["turns"].items():
            shown = state["shown"][name] if "shown" in state else turns * self.batch_size  # older checkpoints
            self.players[name].turns, self.players[name].shown = turns, shown

    def restart_average(self) -> None:
        """Let the averaged weights be the weights: after these were taken from elsewhere."""
        if self.ema:
            self.ema.load_state_dict(self.model.generator.state_dict())

    def take_step(self) -> None:
        """A step of the strategy: moves every player and `images`."""
        raise NotImplementedError

    @property
    def turning_points(self) -> list[int]:
        """Images seen from which on a step costs something else, 0 the first."""
        return [0]

    @property
    def images_to_full_size(self) -> int:
        """Images seen after which networks that grow have their last size; 0: they do not grow."""
        return 0

    @property
    def images_a_step(self) -> int | None:
        """Images that a step adds to `images`; None: that changes over the run."""
        return self.batch_size

    def move_to(self, images: int) -> None:
        """As if so many images had been seen. For measuring: nothing has been learned from them."""
        self.images = images

    def take_turn(self, phase: Phase) -> None:
        second_beta = self.system.schedule.second_beta(self.images, self.total_images)
        self.players[phase.player].follow(self.rate(), second_beta)
        take_turn(phase, self.players, self.engine, self.statistics, self.step)

    def rate(self) -> float:
        """A factor on every learning rate, now."""
        return self.system.schedule(self.images, self.total_images) * self.rate_factor

    def fit(self, asked_to_stop: Callable[[], bool] = lambda: False) -> None:
        """Step until the duration is reached, a callback says stop, time is up or a signal asks to."""
        self._each("start")
        more = True
        try:
            while more:
                more = self._proceed(asked_to_stop)
        finally:
            self._release()

    def _release(self) -> None:
        """All weights that are learned take gradients again."""
        for player in self.players.values():
            player.freeze(False)

    def _proceed(self, asked_to_stop: Callable[[], bool]) -> bool:
        """A step, or the end if none is left. Gives whether there is more to do."""
        over, error = self.images >= self.total_images or bool(self.stop_reason), None
        try:
            self._finish() if over else self._advance()
        except Diverged as found:
            error = found
            self._each("fail", error)
        going_back = self._agree(asked_to_stop) == BACK
        if going_back:
            self._go_back()
        elif error:
            raise error
        return going_back or not over

    def _finish(self) -> None:
        self._release()
        self._each("finish")

    def _advance(self) -> None:
        before = self.images
        self.take_step()
        self.step += 1
        for callback in self._watching():
            if callback.every and self.images // callback.every > before // callback.every:
                began = time.perf_counter()
                callback.tick(self)
                self.away += 0 if callback.every_rank else time.perf_counter() - began

    def _agree(self, asked_to_stop: Callable[[], bool]) -> int:
        """What all ranks do next: every one must leave the loop, or go back, at the same step."""
        late = self.max_time is not None and time.monotonic() - self.started > self.max_time
        if late:
            self.stop("trainer.max_time is over")
        wish = SIGNAL if asked_to_stop() else STOP if self.stop_reason else 0
        agreed = distributed.largest(BACK if self.way_back else wish)
        self.interrupted = agreed == SIGNAL
        if agreed in (STOP, SIGNAL):
            self.stop(self.stop_reason or "another rank or a signal")
        return agreed

    def _go_back(self) -> None:
        back = distributed.from_main(self.way_back)
        slowed = self.rollbacks + 1, self.rate_factor * back.factor  # which outlives the older state
        for name, part in self.parts.items():
            if name in back.parts:  # callbacks may have come since
                part.load_state_dict(back.parts[name])
        self.rollbacks, self.rate_factor = slowed
        self.way_back = self.stop_reason = None
        self._each("went_back")

    def _watching(self) -> Iterator[Callback]:
        """Who is called. Once the run is to go back, only those whom the other ranks call as well."""
        for callback in self.callbacks.values():
            if callback.every_rank or (distributed.is_main() and not self.way_back):
                yield callback

    def _each(self, event: str, *values: Any) -> None:
        for callback in self._watching():
            getattr(callback, event)(self, *values)

    def stop(self, reason: str) -> None:
        """End the run after this step."""
        self.stop_reason = reason

    def roll_back(self, parts: dict[str, Any], factor: float) -> None:
        """After this step let every rank go back to an earlier state of all parts, and on at `factor` times the rates.

        Until then no other callback hears of the state that is left: it is not saved.
        """
        self.way_back = WayBack(parts, factor)

    def publish(self, values: dict[str, float]) -> None:
        self._each("scalars", values)

    def show(self, name: str, image: Tensor) -> None:
        self._each("picture", name, image)

    def report(self, record: dict[str, Any]) -> None:
        self._each("record", record)

    def learning_rates(self) -> dict[str, float]:
        return {f"{name}/lr": player.optimizer.param_groups[0]["lr"] for name, player in self.players.items()}


def prefixed(prefix: str, parts: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{name}": part for name, part in parts.items()}


def check_batch(batch_size: int, accumulate: int, images: int) -> None:
    if batch_size > images:
        raise ConfigError(f"trainer.batch_size={batch_size}: larger than the data, {images} images. Lower it.")
    pieces = accumulate * distributed.world_size()
    if batch_size % pieces:
        raise ConfigError(
            f"trainer.batch_size={batch_size}: must be a multiple of trainer.accumulate x ranks = {pieces}; "
            f"use {max(1, batch_size // pieces) * pieces}."
        )


def clip_of(bound: float | dict[str, float] | None) -> Clip:
    return Clip(**bound) if isinstance(bound, dict) else Clip(norm=bound)
