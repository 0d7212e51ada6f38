"""What a callback may do. It looks at the trainer and changes nothing that training computes.

It may ask the trainer to stop, or to go back to an earlier state at lower rates (`stop`, `roll_back`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from genlab.core.errors import Diverged
    from genlab.trainers.trainer import Trainer


Kind = TypeVar("Kind", bound="Callback")


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
