"""Says in plain words when a run is sick."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any, Literal

from genlab.callbacks import health_measures as measure
from genlab.callbacks.health_rollback import LastHealthy
from genlab.callbacks.health_rules import EXPECTED, Finding, Reading, declines, findings, worsening
from genlab.core.types import Count, Fraction, Whole
from genlab.trainers.callback import Callback, callbacks_of

if TYPE_CHECKING:
    from genlab.core.errors import Diverged
    from genlab.metrics.extractors.digit_classifier import Classifier
    from genlab.trainers.trainer import Trainer

log = logging.getLogger(__name__)
CLOCKED = ("health/", "speed/")  # what another run of the same words would not repeat
SHOWN = ("collapsed", "missing_classes", "diverged", "stalled", "overfits")  # by a look; scores show `worsening`


class Health(Callback):
    """Publishes `health/...` every so many images and at the end, and warns when they say that the run is sick.

    A warning is given once a kind, and again only when it changed: what is missing, or after the run had recovered.
    It counts if two looks in a row show it, the second no less than the first: a run that is young, or recovers,
    misses fewer classes every time. The one at the end of a complete run counts by itself.
    `found` holds all of them, for the summary.
    `health/KIND` is 1 while it holds; `health/time_share` is the share of wall time that all this takes.

    With `action=rollback` every look that is judged and finds nothing saves the run in `checkpoints/healthy`, unless
    a score is on its way down. A warning of any kind, or a loss that is not finite, takes the run back there, and
    every learning rate is multiplied by `rollback_factor` from then on. After `rollbacks` times the next warning ends
    the run. Without a healthy checkpoint the warning says so: the run goes on as with `warn`, or fails if it must.
    """

    def __init__(
        self,
        every: Count | None = 100_000,  # images
        *,
        action: Literal["warn", "stop", "rollback"] = "warn",  # stop: end the run, saved, at the first warning
        rollback_factor: Fraction = 0.5,  # on every learning rate, each time
        rollbacks: Count = 3,  # at most
        samples: Count = 100,  # of the fixed noise, and real images to compare with
        after: Whole = 20_000,  # images before anything is judged
    ) -> None:
        self.every, self.action, self.samples, self.after = every, action, samples, after
        self.found: list[dict[str, Any]] = []  # kind, message, images
        self._active: dict[str, str] = {}  # topic -> key, of what was said and still holds
        self._suspects: dict[str, int] = {}  # kind -> extent, of what the look before showed
        self._scores: dict[str, list[float]] = {}  # by metric, oldest first
        self._rises: dict[str, bool] = {}  # by metric: is higher better?
        self._published: dict[str, float] = {}
        self._looked_at: int | None = None
        self._refuge = LastHealthy(rollback_factor, rollbacks) if action == "rollback" else None
        self._reader: Classifier | None = None
        self._seconds, self._began = 0.0, time.perf_counter()

    def start(self, trainer: Trainer) -> None:
        self._began = began = time.perf_counter()
        real = measure.seen(trainer, trainer.data.train.images[: self.samples])
        self._real = measure.diversity(real), measure.saturated(real)
        self._reader = measure.reader(trainer)
        if self._refuge:
            self._refuge.start(trainer)
        self._seconds += time.perf_counter() - began

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        self._published |= {name: value for name, value in values.items() if not name.startswith(CLOCKED)}

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Judges the run by a score, if its metric says that this can be done."""
        if not record.get("judges_run"):
            return
        name = record["metric"]
        self._rises[name] = record["higher_is_better"]
        self._scores.setdefault(name, []).append(record["value"])
        if one := worsening(name, self._scores[name], higher_is_better=self._rises[name]):
            self._say(trainer, one)
        else:
            self._active.pop(f"worsening/{name}", None)

    def tick(self, trainer: Trainer) -> None:
        self._look(trainer, last=trainer.images >= trainer.total_images)

    def finish(self, trainer: Trainer) -> None:
        if self._looked_at != trainer.images and not trainer.interrupted:
            self._look(trainer, last=trainer.images >= trainer.total_images)

    def fail(self, trainer: Trainer, error: Diverged) -> None:
        self._say(trainer, Finding("diverged", str(error)))

    def state_dict(self) -> dict[str, Any]:
        names = ("found", "_active", "_suspects", "_scores", "_rises", "_published", "_looked_at")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        found = self.found or state["found"]  # by this process: it stays when the run goes back
        vars(self).update(state | {"found": found})

    def _look(self, trainer: Trainer, *, last: bool) -> None:
        began, self._looked_at = time.perf_counter(), trainer.images
        reading = self._read(trainer, thorough=last or "missing_classes" in self._suspects | self._active)
        shown = {one.kind: one for one in findings(reading)} if trainer.images >= self.after else {}
        sure = [one for one in shown.values() if last or one.extent >= self._suspects.get(one.kind, math.inf)]
        over = set(SHOWN) - shown.keys()
        self._active = {topic: key for topic, key in self._active.items() if topic not in over}
        self._suspects = {one.kind: one.extent for one in shown.values()}
        for one in sure:
            self._say(trainer, one)
        if self._refuge and trainer.images >= self.after and self._well:
            self._refuge.save(trainer)
        self._seconds += time.perf_counter() - began
        self._publish(trainer, reading)

    @property
    def _well(self) -> bool:
        """Nothing is wrong, and no score got worse."""
        declining = (declines(self._scores[name], higher_is_better=rises) for name, rises in self._rises.items())
        return not (self._active or self._suspects or any(declining))

    def _read(self, trainer: Trainer, *, thorough: bool) -> Reading:
        samples = trainer.samples.draw_samples(0, self.samples)
        diversity, saturated = self._real
        measured = {"diversity": measure.diversity(samples) / max(diversity, 1e-9)}
        if trainer.spec.height is not None:
            measured |= {"saturated": measure.saturated(samples), "real_saturated": saturated}
        measured |= measure.judged(trainer, samples)
        seen = measure.Classes()
        if self._reader is not None:
            seen = measure.classes(self._reader, trainer, samples, EXPECTED, thorough=thorough)
        measured |= {f"class_{index}": count / sum(seen.counts) for index, count in enumerate(seen.counts)}
        return Reading(self._published, measured, seen.missing, seen.scarce, fair=trainer.fair)

    def _publish(self, trainer: Trainer, reading: Reading) -> None:
        values, published = dict(reading.measured), reading.published
        if {"discriminator/real_logits", "discriminator/fake_logits"} <= published.keys():
            values["gap"] = published["discriminator/real_logits"] - published["discriminator/fake_logits"]
        norms = {name: value for name, value in published.items() if name.endswith("/gradient_norm")}
        values |= {f"{name.split('/')[0]}_gradient_norm": value for name, value in norms.items()}
        active = {topic.split("/")[0] for topic in self._active}
        values |= {kind: float(kind in active) for kind in (*SHOWN, "worsening")}
        values["time_share"] = self._seconds / max(time.perf_counter() - self._began, 1e-9)
        trainer.publish({f"health/{name}": value for name, value in values.items()})

    def _say(self, trainer: Trainer, one: Finding) -> None:
        """Once, and again when it changed."""
        if self._active.get(one.topic) == one.key:
            return
        self._active[one.topic] = one.key
        message = f"{one.message} {self._act(trainer, one)}".rstrip()
        self.found.append({"kind": one.kind, "message": message, "images": trainer.images})
        log.warning("health, at %s images: %s", f"{trainer.images:,}", message)

    def _act(self, trainer: Trainer, one: Finding) -> str:
        """Does what is to be done about it, and says what it did."""
        if self.action == "stop":
            trainer.stop(f"{one.message} (callbacks.health.action=stop)")
        return self._refuge.go_back(trainer) if self._refuge else ""


def found_by_health(trainer: Trainer) -> list[dict[str, Any]]:
    """Every warning of a run: kind, message, images. Empty where nobody watches."""
    return [found for health in callbacks_of(trainer, Health) for found in health.found]
