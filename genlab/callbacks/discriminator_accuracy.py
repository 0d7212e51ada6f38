"""How many classes the discriminator names rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genlab.core.pixels import network_values
from genlab.core.types import Count
from genlab.models.contract import ClassifiesImages
from genlab.trainers.callback import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from genlab.trainers.trainer import Trainer


NAME = "test_accuracy"


class Accuracy(Callback):
    """Publishes the share of test images whose class the model names: `score/test_accuracy`, and its record.

    Does nothing where the model has no `classify`, or the data no labelled test images.
    """

    def __init__(
        self,
        every: Count | None = 50_000,  # images; the end of the run is scored as well
        *,
        batch_size: Count = 500,  # images at a time; changes nothing
    ) -> None:
        self.every, self.batch_size = every, batch_size

    def tick(self, trainer: Trainer) -> None:
        model, test = trainer.model, trainer.data.test
        if test is None or test.labels is None or self.done_at == trainer.images:
            return
        if not isinstance(model, ClassifiesImages):
            return
        value = sum(self._right(trainer, model.classify)) / len(test.labels)
        self.done_at = trainer.images
        trainer.report(self._record(trainer, value))
        trainer.publish({f"score/{NAME}": value})

    def scores(self, number: str) -> bool:
        return number == NAME

    def finish(self, trainer: Trainer) -> None:
        if not trainer.interrupted:  # whoever sent the signal does not wait for a score
            self.tick(trainer)

    def _right(self, trainer: Trainer, classify: Callable[[Tensor], Tensor]) -> Iterator[int]:
        """Images of each batch that are named rightly."""
        test = trainer.data.test
        for images, labels in zip(test.images.split(self.batch_size), test.labels.split(self.batch_size), strict=True):
            seen = network_values(images.to(trainer.device), trainer.spec.scale, trainer.samples.dtype)
            named = classify(seen).argmax(1).cpu()
            yield int((named == labels).sum())

    @staticmethod
    def _record(trainer: Trainer, value: float) -> dict[str, Any]:
        train, test = trainer.data.train.labels, trainer.data.test
        return {
            "metric": NAME,
            "value": value,
            "reference": f"{trainer.data.name}/test",
            "reference_hash": test.fingerprint(),
            "reference_images": len(test.labels),
            "training_labels": int((train >= 0).sum()),
            "ema": False,
            "seed": trainer.samples.seed,
            "position": trainer.images,
            "higher_is_better": True,
        }
