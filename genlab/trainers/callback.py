"""What a callback may do, and what it may ask of the trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch
    from torch import Tensor, nn

    from genlab.core.errors import Diverged
    from genlab.core.spec import Spec
    from genlab.data import InMemory
    from genlab.losses import AdversarialLoss
    from genlab.trainers.rollback import Rollback
    from genlab.trainers.sample_stream import SampleStream
    from genlab.trainers.statistics import Statistics
    from genlab.trainers.system import Player
    from genlab.trainers.trainer import Trainer


Kind = TypeVar("Kind", bound="Callback")


class Watched(Protocol):
    """All that a callback may read of a trainer and ask it to do; it changes nothing that training computes."""

    # the system
    samples: SampleStream  # draws samples and conditions; holds the seed, the number format and the averaged weights
    model: nn.Module
    data: InMemory
    spec: Spec
    loss: AdversarialLoss
    players: dict[str, Player]
    device: torch.device
    # the run
    run_dir: Path
    config: dict[str, Any]
    callbacks: dict[str, Callback]
    total_images: int
    iterates: bool  # in steps of a batch, so that a longer run goes further
    # where it is
    images: int  # seen so far
    step: int
    resumed_from: int  # images
    stop_reason: str | None
    interrupted: bool  # by a signal: what takes long is left out at the end
    away: float  # seconds that callbacks took
    fair: bool  # whether samples are a fair picture of the model now
    parts: dict[str, Any]  # all state, for a checkpoint
    statistics: Statistics
    rollback: Rollback  # asked to go back to an earlier state, after this step

    def learning_rates(self) -> dict[str, float]: ...
    def stop(self, reason: str) -> None: ...
    def publish(self, values: dict[str, float]) -> None: ...
    def show(self, name: str, image: Tensor) -> None: ...
    def report(self, record: dict[str, Any]) -> None: ...


class Callback:
    """Every method is optional. `every` is an interval in images; null: `tick` is never called.

    A callback with state that outlives a restart defines `state_dict` and `load_state_dict`.
    """

    every: int | None = None
    every_rank = False  # called on rank 0 alone unless this is set
    done_at: int | None = None  # position of the last tick, for those whose `finish` need not repeat it

    def start(self, trainer: Trainer) -> None:
        """Before the first step, and after a resumed run's state is loaded."""

    def tick(self, trainer: Trainer) -> None:
        """Each time another `every` images have been seen, after the step that reached them."""

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        """Somebody published numbers, measured at `trainer.images`."""

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        """Somebody published a picture, uint8 [3 or 1, H, W]."""

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Somebody published a score as a record of how it was measured: `genlab.metrics.records.Record` as a dict."""

    def went_back(self, trainer: Trainer) -> None:
        """The run went back: an earlier state is loaded, this callback's too, as if it were resumed from there."""
        self.done_at = None

    def scores(self, number: str) -> bool:
        """Whether it publishes records of a score of this name."""
        return False

    def finish(self, trainer: Trainer) -> None:
        """After the last step, also when a signal or a callback ended the run early; again if it then went back."""

    def fail(self, trainer: Trainer, error: Diverged) -> None:
        """The run diverged, and ends with this error unless a callback asks to go back.

        `finish` is not called, or did not come to its end.
        """


def callbacks_of(trainer: Trainer, kind: type[Kind]) -> Iterator[Kind]:
    """Those of a run that are of a class, whatever they are called in its config."""
    return (callback for callback in trainer.callbacks.values() if isinstance(callback, kind))
