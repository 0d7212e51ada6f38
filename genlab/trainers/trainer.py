"""The training loop: steps, callbacks between them, and all state as one list of parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import nn

from genlab.core import distributed
from genlab.core.changes import hold_from
from genlab.core.checkpoint import stateful
from genlab.core.device import precision_of
from genlab.core.errors import Diverged, GenlabError
from genlab.core.finiteness import require_finite
from genlab.core.types import Amount, Count, Positive, Seconds
from genlab.data import InMemory
from genlab.data.stream import Stream
from genlab.models.contract import Model
from genlab.trainers.callback_calls import CallbackCalls, Publishing
from genlab.trainers.ema import EMA
from genlab.trainers.remedies import after_divergence
from genlab.trainers.rollback import Rollback
from genlab.trainers.sample_stream import SampleStream, place_model
from genlab.trainers.statistics import Statistics
from genlab.trainers.system import Run, System, keep_changed_options, players_of
from genlab.trainers.turns import Clip, Engine, Phase, check_batch, take_turn

if TYPE_CHECKING:
    from genlab.core.spec import Spec
    from genlab.losses import AdversarialLoss, Reconstruction

STOP, SIGNAL, BACK = 1, 2, 3  # requests that a rank can make after a step; all ranks obey the largest


class Trainer(Publishing):
    """Base of all strategies, each of which defines a step by `take_step`.

    Raises ConfigError for a model without the players that the strategy trains.
    """

    trained_players: ClassVar[frozenset[str]] = frozenset()
    iterates: ClassVar[bool] = True  # trains in steps: a longer run goes further
    clip_weights: float | None = None  # bound on the critic's weights
    flip_labels: float = 0.0  # share of pairs whose logits swap places in the discriminator's turn
    translates_both_ways: ClassVar[bool] = False  # trains only models that do
    turning_points: Sequence[int] = (0,)  # images at which the cost of a step changes
    images_to_full_size: int = 0  # images after which growing networks have their last size

    def __init__(
        self,
        system: System,
        run: Run,
        *,
        images: Count,  # duration: real images shown
        batch_size: Amount = 64,  # images a turn, over all ranks
        accumulate: Amount = 1,  # backward passes a turn
        clip_gradients: Positive | dict[Literal["norm", "value"], Positive] | None = None,
        max_time: Seconds | None = None,  # seconds after which the run saves and exits
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
        options: dict[str, Any] = {"device": device, "precision": precision, "deterministic": deterministic, "ema": ema}
        self.samples = place_model(
            system.model, system.data, seed=run.seed, images=images, channels_last=channels_last, **options
        )
        self.device, self.ema = self.samples.device, self.samples.ema
        check_batch(batch_size, accumulate, self.spec.images)
        for penalty in self.penalties.values():
            penalty.settle(self.spec, batch_size)
        clip = Clip(**clip_gradients) if isinstance(clip_gradients, dict) else Clip(norm=clip_gradients)
        self.engine = Engine(self.device, *precision_of(precision), run.seed, batch_size, accumulate, clip)
        self.players = players_of(system, type(self))
        self.placement = {"device": self.device, "dtype": self.samples.dtype, "channels_last": channels_last}
        self.stream = Stream.of(self.data, seed=self.seed, **self.placement)
        self.statistics = Statistics()
        self.images = self.step = self.resumed_from = 0
        self.rollback = Rollback()
        self.stop_reason: str | None = None
        self.interrupted = False  # by a signal: `finish` should be quick
        self._stepping = False  # amid a step, between whose turns the state is no run's
        self.started = time.monotonic()
        self.callback_seconds = 0.0  # spent in callbacks that rank 0 calls alone
        self.calls = CallbackCalls(self)

    @classmethod
    def sample_stream(
        cls,
        model: Model,
        data: InMemory,
        *,
        loss: Callable[[], AdversarialLoss | Reconstruction],  # builds the loss, which reads a decoder's output
        seen: int,  # images so far
        **settings: Any,  # of the trainer, as its config has them, and `seed`
    ) -> SampleStream:
        """Return the sample stream of a trained model, without building optimizers or a trainer."""
        return place_model(model, data, **settings)

    @property
    def spec(self) -> Spec:
        return self.data.spec

    @property
    def fair(self) -> bool:
        """Return whether samples are a fair picture of the model now."""
        return not self.samples.caption

    @property
    def parts(self) -> dict[str, Any]:
        """Return all state by name; each part has `state_dict` and `load_state_dict`."""
        optimizers = {f"optimizer/{name}": player.optimizer for name, player in self.players.items()}
        watchers = add_prefix("callback", stateful(self.callbacks))
        terms = {"loss": self.loss} | add_prefix("penalty", self.penalties) | add_prefix("augment", self.augmentations)
        own = {"statistics": self.statistics, "position": self}
        return {**self.samples.parts, **optimizers, **stateful(terms), **watchers, **own}

    def state_dict(self) -> dict:
        turns = {name: player.turns for name, player in self.players.items()}
        shown = {name: player.images_shown for name, player in self.players.items()}
        own = {"images": self.images, "step": self.step, "turns": turns, "shown": shown, "owed": list(self.calls.owed)}
        return own | self.rollback.state_dict()

    def load_state_dict(self, state: dict) -> None:
        self.images, self.step, self.resumed_from = state["images"], state["step"], state["images"]
        self.rollback.load_state_dict(state)
        self.calls.owed = list(state.get("owed", []))
        for name, turns in state["turns"].items():
            shown = state["shown"][name] if "shown" in state else turns * self.batch_size  # older checkpoints
            self.players[name].turns, self.players[name].images_shown = turns, shown

    def restart_average(self) -> None:
        """Restart the average from the current weights, after these were loaded from elsewhere."""
        if self.ema:
            self.ema.network.load_state_dict(self.model.generator.state_dict())

    def take_step(self) -> None:
        """Take a step of the strategy, which moves every player and `images`."""
        raise NotImplementedError

    @property
    def images_a_step(self) -> int | None:
        """Return how many images a step adds to `images`; None: their number changes over the run."""
        return self.batch_size

    def move_to(self, images: int) -> None:
        """Go to a position in the run without learning, to measure steps there."""
        self.images = images

    def take_turn(self, phase: Phase) -> None:
        second_beta = self.system.schedule.second_beta(self.images, self.total_images)
        self.players[phase.player].set_rates(self.rate_factor(), second_beta)
        take_turn(phase, self.players, self.engine, self.statistics, self.step)

    def rate_factor(self) -> float:
        """Return the current factor on every learning rate."""
        return self.system.schedule(self.images, self.total_images) * self.rollback.rate_factor

    def fit(self, asked_to_stop: Callable[[], bool] = lambda: False) -> None:
        """Train until the duration is reached, a callback stops the run, time is up or a signal arrives."""
        self.calls.notify("start")
        more = True
        try:
            while more:
                more = self._step_or_finish(asked_to_stop)
        finally:
            self._unfreeze_players()

    def _unfreeze_players(self) -> None:
        for player in self.players.values():
            player.freeze(False)

    def _step_or_finish(self, asked_to_stop: Callable[[], bool]) -> bool:
        """Take a step, or finish if none is left, and return whether there is more to do."""
        over, error = self._is_over, None
        try:
            self._finish() if over else self._advance()
        except GenlabError as found:
            error = found
            self._prepare_failure(error)
        going_back = self._agree_on_next(asked_to_stop) == BACK
        if going_back:
            self.rollback.apply(self.parts)
            keep_changed_options(self.players, self.config)
            hold_from(self.config, self.images)
            self.stop_reason = None
            self.calls.notify("after_rollback")
        elif isinstance(error, Diverged):
            raise Diverged(f"{error} {after_divergence(self)}".rstrip()) from error
        elif error:
            raise error
        return going_back or not over

    @property
    def _is_over(self) -> bool:
        complete = self.images >= self.total_images and not self.calls.owed
        return complete or bool(self.stop_reason)

    def _finish(self) -> None:
        """Save, then do what takes long. Raises Diverged if the run ends with a state that is not finite."""
        self._unfreeze_players()
        self.calls.notify("save")
        if not self.rollback.target:
            require_finite(self.parts)
            self.calls.notify("finish")

    def _advance(self) -> None:
        """Take a step and call the callbacks that are due; after a resumption, first those that a signal cut short."""
        if self.calls.owed:
            return self.calls.tick_owed()
        before, self._stepping = self.images, True
        self.take_step()
        self.step, self._stepping = self.step + 1, False
        self.calls.tick(before)

    def _prepare_failure(self, error: GenlabError) -> None:
        """Let callbacks save and say how it ended. Raises the error of a half-made step, which is not to be saved."""
        if self._stepping and not isinstance(error, Diverged):
            raise error
        self.calls.fail(error)

    def _agree_on_next(self, asked_to_stop: Callable[[], bool]) -> int:
        """Return the next action of all ranks, which must leave the loop, or go back, at the same step."""
        late = self.max_time is not None and time.monotonic() - self.started > self.max_time
        if late:
            self.stop("trainer.max_time is over")
        wish = SIGNAL if asked_to_stop() else STOP if self.stop_reason else 0
        agreed = distributed.largest(BACK if self.rollback.target else wish)
        self.interrupted = agreed == SIGNAL
        if agreed in (STOP, SIGNAL):
            self.stop(self.stop_reason or ("another rank or a signal" if distributed.is_launched() else "a signal"))
        return agreed

    def stop(self, reason: str) -> None:
        """End the run after this step."""
        self.stop_reason = reason

    def learning_rates(self) -> dict[str, float]:
        return {f"{name}/lr": player.optimizer.param_groups[0]["lr"] for name, player in self.players.items()}


def add_prefix(prefix: str, parts: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{name}": part for name, part in parts.items()}
