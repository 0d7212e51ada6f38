"""Accuracy of the model's own class predictions on test images."""

from collections.abc import Iterator
from typing import Any

from genlab.callbacks.once_per_position import OncePerPosition
from genlab.core.interruption import uninterruptible
from genlab.core.pixels import network_values
from genlab.core.types import Amount, Count
from genlab.models.contract import ClassifiesImages
from genlab.trainers.trainer import Trainer

METRIC_NAME = "test_accuracy"


class ClassificationAccuracy(OncePerPosition):
    """Publishes the share of test images that the model classifies correctly: `score/test_accuracy`, and its record.

    Does nothing where the model has no `classify`, or the data no labelled test images.
    """

    def __init__(
        self,
        every: Count | None = 50_000,  # images; the end of the run is scored as well
        *,
        batch_size: Amount = 500,  # images at a time; changes nothing
    ) -> None:
        self.every, self.batch_size = every, batch_size

    def applies(self, trainer: Trainer) -> bool:
        test = trainer.data.test
        return test is not None and test.labels is not None and isinstance(trainer.model, ClassifiesImages)

    def work(self, trainer: Trainer) -> None:
        value = sum(self._count_correct(trainer)) / len(trainer.data.test.labels)
        with uninterruptible():
            trainer.report(self._record(trainer, value))
            trainer.publish({f"score/{METRIC_NAME}": value})

    def publishes_score(self, number: str) -> bool:
        return number == METRIC_NAME

    def _count_correct(self, trainer: Trainer) -> Iterator[int]:
        """Yield the number of correctly classified images in each batch."""
        test = trainer.data.test
        for images, labels in zip(test.images.split(self.batch_size), test.labels.split(self.batch_size), strict=True):
            inputs = network_values(images.to(trainer.device), trainer.spec.scale, trainer.samples.dtype)
            yield int((trainer.model.classify(inputs).argmax(1).cpu() == labels).sum())

    @staticmethod
    def _record(trainer: Trainer, value: float) -> dict[str, Any]:
        train, test = trainer.data.train.labels, trainer.data.test
        return {
            "metric": METRIC_NAME,
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
