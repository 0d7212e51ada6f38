"""Says in plain words when a run is sick."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Literal

from genlab.callbacks import health_measures as measure
from genlab.callbacks.base import Callback
from genlab.callbacks.health_rules import EXPECTED, Finding, Reading, findings, worsening
from genlab.types import Count, Whole

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.errors import Diverged
    from genlab.metrics.digits import Classifier
    from genlab.trainers.trainer import Trainer

log = logging.getLogger(__name__)
CHUNKS = 10  # times `samples` are looked through at most, before a class is called missing
CLOCKED = ("health/", "speed/")  # what another run of the same words would not repeat
KINDS = ("collapsed", "missing_classes", "diverged", "stalled", "overfits", "worsening")


class Health(Callback):
    """Publishes `health/...` every so many images and at the end, and warns when they say that the run is sick.

    A warning is given once a kind, and again only when it changed: what is missing, or after the run had recovered.
    It counts if two looks in a row show it, or the one at the end of a complete run.
    `found` holds all of them, for the summary.
    `health/KIND` is 1 while it holds; `health/time_share` is the share of wall time that all this takes.
    """

    def __init__(
        self,
        every: Count | None = 100_000,  # images
        *,
        action: Literal["warn", "stop"] = "warn",  # stop: end the run, saved, at the first warning
        samples: Count = 100,  # of the fixed noise, and real images to compare with
        after: Whole = 20_000,  # images before anything is judged
    ) -> None:
        self.every, self.action, self.samples, self.after = every, action, samples, after
        self.found: list[dict[str, Any]] = []  # kind, message, images
        self._active: dict[str, str] = {}  # kind -> key, of what was said and still holds
        self._suspected: list[str] = []  # kinds that the look before showed
        self._scores: dict[str, list[float]] = {}  # by metric, oldest first
        self._published: dict[str, float] = {}
        self._looked_at: int | None = None
        self._reader: Classifier | None = None
        self._seconds, self._began = 0.0, time.perf_counter()

    def start(self, trainer: Trainer) -> None:
        self._began = began = time.perf_counter()
        real = measure.seen(trainer, trainer.data.train.images[: self.samples])
        self._real = measure.diversity(real), measure.saturated(real)
        self._reader = measure.reader(trainer)
        self._seconds += time.perf_counter() - began

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        self._published |= {name: value for name, value in values.items() if not name.startswith(CLOCKED)}
        for name, value in values.items():
            if name.startswith("score/"):
                self._judge_score(trainer, name.removeprefix("score/"), value)

    def tick(self, trainer: Trainer) -> None:
        self._look(trainer, last=trainer.images >= trainer.total_images)

    def finish(self, trainer: Trainer) -> None:
        if self._looked_at != trainer.images and not trainer.interrupted:
            self._look(trainer, last=trainer.images >= trainer.total_images)

    def fail(self, trainer: Trainer, error: Diverged) -> None:
        self._say(trainer, Finding("diverged", str(error)))

    def state_dict(self) -> dict[str, Any]:
        names = ("found", "_active", "_suspected", "_scores", "_published", "_looked_at")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def _look(self, trainer: Trainer, *, last: bool) -> None:
        began, self._looked_at = time.perf_counter(), trainer.images
        reading = self._read(trainer)
        shown = {one.kind: one for one in findings(reading)} if trainer.images >= self.after else {}
        sure = {kind: one for kind, one in shown.items() if last or kind in self._suspected}
        for kind in [kind for kind in self._active if kind not in shown and kind != "worsening"]:
            del self._active[kind]
        self._suspected = list(shown)
        for one in sure.values():
            self._say(trainer, one)
        self._seconds += time.perf_counter() - began
        self._publish(trainer, reading)

    def _read(self, trainer: Trainer) -> Reading:
        samples = trainer.draw_samples(0, self.samples)
        diversity, saturated = self._real
        measured = {"diversity": measure.diversity(samples) / max(diversity, 1e-9)}
        if trainer.spec.height is not None:
            measured |= {"saturated": measure.saturated(samples), "real_saturated": saturated}
        measured |= measure.judged(trainer, samples)
        missing, counts = self._classes(trainer, samples)
        measured |= {f"class_{index}": count / sum(counts) for index, count in enumerate(counts)}
        return Reading(self._published, measured, missing, fair=trainer.fair)

    def _classes(self, trainer: Trainer, samples: Tensor) -> tuple[list[int], list[int]]:
        """Which are missing, and how many samples show each. Rare ones are looked for among more samples."""
        if self._reader is None:
            return [], []
        shares = measure.class_shares(trainer.data.train.labels)
        counts = measure.histogram(self._reader, trainer, samples)
        for chunk in range(1, CHUNKS):
            if not measure.missing(counts, shares, EXPECTED):
                break
            more = measure.histogram(self._reader, trainer, trainer.draw_samples(chunk * self.samples, self.samples))
            counts = [first + second for first, second in zip(counts, more, strict=True)]
        return measure.missing(counts, shares, EXPECTED), counts

    def _publish(self, trainer: Trainer, reading: Reading) -> None:
        values, published = dict(reading.measured), reading.published
        if {"discriminator/real_logits", "discriminator/fake_logits"} <= published.keys():
            values["gap"] = published["discriminator/real_logits"] - published["discriminator/fake_logits"]
        norms = {name: value for name, value in published.items() if name.endswith("/gradient_norm")}
        values |= {f"{name.split('/')[0]}_gradient_norm": value for name, value in norms.items()}
        values |= {kind: float(kind in self._active) for kind in KINDS}
        values["time_share"] = self._seconds / max(time.perf_counter() - self._began, 1e-9)
        trainer.publish({f"health/{name}": value for name, value in values.items()})

    def _judge_score(self, trainer: Trainer, name: str, value: float) -> None:
        self._scores.setdefault(name, []).append(value)
        if one := worsening(name, self._scores[name]):
            self._say(trainer, one)
        elif self._active.get("worsening") == name:
            del self._active["worsening"]

    def _say(self, trainer: Trainer, one: Finding) -> None:
        """Once, and again when it changed."""
        if self._active.get(one.kind) == one.key:
            return
        self._active[one.kind] = one.key
        self.found.append({"kind": one.kind, "message": one.message, "images": trainer.images})
        log.warning("health, at %s images: %s", f"{trainer.images:,}", one.message)
        if self.action == "stop":
            trainer.stop(f"{one.message} (callbacks.health.action=stop)")


def found_by_health(trainer: Trainer) -> list[dict[str, Any]]:
    """Every warning of a run: kind, message, images. Empty where nobody watches."""
    health = trainer.callbacks.get("health")
    return health.found if health else []
