"""The base of callbacks, and the face of the trainer that they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch
    from torch import Tensor, nn

    from genlab.core.errors import Diverged, GenlabError
    from genlab.core.spec import Spec
    from genlab.data import InMemory
    from genlab.losses import AdversarialLoss, Reconstruction
    from genlab.trainers.rollback import Rollback
    from genlab.trainers.sample_stream import SampleStream
    from genlab.trainers.statistics import Statistics
    from genlab.trainers.system import Player, System
    from genlab.trainers.trainer import Trainer

Kind = TypeVar("Kind", bound="Callback")


class Watched(Protocol):
    """Everything that a callback may read of a trainer or call on it; nothing here changes what training computes."""

    # the system
    samples: SampleStream  # draws samples; holds the seed, the number format and the averaged weights
    model: nn.Module
    data: InMemory
    spec: Spec
    loss: AdversarialLoss | Reconstruction
    players: dict[str, Player]
    device: torch.device
    clip_weights: float | None  # bound of the critic's weights
    flip_labels: float  # share of pairs whose logits swap places in the discriminator's turn
    system: System  # penalties, augmentations and the like
    # the run
    run_dir: Path
    config: dict[str, Any]
    callbacks: dict[str, Callback]
    total_images: int
    iterates: bool  # trains in steps: a longer run goes further
    # where it is
    images: int  # seen so far
    step: int
    resumed_from: int  # images
    stop_reason: str | None
    interrupted: bool  # by a signal: `finish` should be quick
    callback_seconds: float  # spent in callbacks
    fair: bool  # samples are a fair picture of the model now
    parts: dict[str, Any]  # all state, for a checkpoint
    statistics: Statistics
    rollback: Rollback  # takes requests to go back to an earlier state after this step

    def learning_rates(self) -> dict[str, float]: ...
    def stop(self, reason: str) -> None: ...
    def publish(self, values: dict[str, float]) -> None: ...
    def show(self, name: str, image: Tensor) -> None: ...
    def report(self, record: dict[str, Any]) -> None: ...
    def announce(self, work: str) -> None: ...
    def warn_of_sickness(self, error: Diverged) -> None: ...


class Callback:
    """Base of callbacks; every method is optional.

    `every` is an interval in images; null: `tick` is never called. State that outlives a restart goes through
    `state_dict` and `load_state_dict`.

    An error costs what the callback would have published: one warning, and the run goes on. A callback ends the run,
    which saves first, by raising a GenlabError, such as RunError. Work that takes seconds and changes nothing belongs
    into `with interruptible():` (genlab.core.interruption), so that a signal need not wait for it.
    """

    every: int | None = None
    every_rank = False  # called on rank 0 alone unless this is set
    essential = False  # an error of any kind ends the run
    done_at: int | None = None  # images at the last tick, which `finish` need not repeat

    def start(self, trainer: Trainer) -> None:
        """Called before the first step, after a resumed run's state is loaded."""

    def tick(self, trainer: Trainer) -> None:
        """Called after the step that completes another `every` images."""

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        """Receive published numbers, measured at `trainer.images`."""

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        """Receive a published picture, uint8 [3 or 1, H, W]."""

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Receive a published score with how it was measured: `genlab.metrics.records.Record` as a dict."""

    def announcement(self, trainer: Trainer, work: str) -> None:
        """Receive what another callback is doing that takes long, in words; "" once it is done."""

    def after_rollback(self, trainer: Trainer) -> None:
        """Called once the run went back: an earlier state is loaded, this callback's too, as if resumed from there."""
        self.done_at = None

    def publishes_score(self, number: str) -> bool:
        """Return whether this callback publishes records of a score of this name."""
        return False

    def sick(self, trainer: Trainer, error: Diverged) -> None:
        """Called if the state that was to be saved is not finite; it is kept apart, and the run goes on."""

    def save(self, trainer: Trainer) -> None:
        """Called after the last step, before the scores of the end and whatever else `finish` does."""

    def finish(self, trainer: Trainer) -> None:
        """Called after the last step, also if a signal or a callback ended the run; again if the run then went back."""

    def fail(self, trainer: Trainer, error: GenlabError) -> None:
        """Called instead of `finish` if the run ends by an error; if it diverged, a callback may ask to go back."""


def callbacks_of(trainer: Trainer, kind: type[Kind]) -> Iterator[Kind]:
    """Yield a run's callbacks of a class, whatever their names in its config."""
    return (callback for callback in trainer.callbacks.values() if isinstance(callback, kind))
