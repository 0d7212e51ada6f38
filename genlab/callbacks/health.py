"""The health monitor: warnings, in plain words, when a run goes wrong."""

import logging
import math
import time
from typing import Any, Literal

from genlab.callbacks import health_measures as measure
from genlab.callbacks.health_remedies import describe_remedy
from genlab.callbacks.health_rollback import LastHealthy
from genlab.callbacks.health_rules import RATES, Finding, Reading, find_problems, find_worsening, is_declining
from genlab.core.errors import Diverged, GenlabError
from genlab.core.interruption import interruptible
from genlab.core.types import Amount, Count, Fraction, Whole
from genlab.metrics.extractors.digit_classifier import Classifier
from genlab.trainers.callback import Callback, callbacks_of
from genlab.trainers.trainer import Trainer

log = logging.getLogger(__name__)
TIMED_PREFIXES = ("health/", "speed/")  # of numbers that a run of the same seed would not repeat
MIN_PASSES = 2  # over the training images, before a class without a sample is missing: it may not be learnt yet
LOOK_KINDS = ("collapsed", "missing_classes", "diverged", "stalled", "overfits")  # scores show `worsening`


class Health(Callback):
    """Looks at the run every so many images and at the end, publishes `health/...`, and warns when it is sick.

    A warning is given if two looks in a row show the problem, the second no less than the first: a run that is young,
    or recovers, misses fewer classes at every look. At the end of a complete run one look suffices. Each kind is
    given once, and again if other classes are missing or after the run had recovered. `found` holds all warnings.
    `health/KIND` is 1 while a warning holds; `health/time_share` is the share of wall time that the monitor takes.

    With `action=rollback` each look after `after` images that finds nothing saves the run in `checkpoints/healthy`,
    unless the last score got worse. A warning, or a loss or a state to be saved that is not finite, takes the run back
    there and multiplies every learning rate by `rollback_factor`. After `rollbacks` times the next warning ends the
    run. Without a healthy checkpoint the warning says so, and the run goes on as with `warn`, or fails if it must.
    """

    def __init__(
        self,
        every: Count | None = 100_000,  # images
        *,
        action: Literal["warn", "stop", "rollback"] = "warn",  # stop: end the run, saved, at the first warning
        rollback_factor: Fraction = 0.5,  # on every learning rate, each time
        rollbacks: Amount = 3,  # at most
        samples: Amount = 100,  # of the fixed noise; as many real images are compared
        after: Whole = 20_000,  # images: earlier looks warn of nothing
    ) -> None:
        self.every, self.action, self.samples, self.after = every, action, samples, after
        self.found: list[dict[str, Any]] = []  # kind, message, images
        self._active: dict[str, str] = {}  # topic -> key of warnings that still hold
        self._suspects: dict[str, int] = {}  # kind -> extent of problems in the last look
        self._scores: dict[str, list[float]] = {}  # by metric, oldest first
        self._rises: dict[str, bool] = {}  # by metric: higher is better
        self._published: dict[str, float] = {}
        self._weights: dict[str, list[float]] = {}  # some of each player's, at the last look
        self._steepest = 0.0  # the generator's largest gradient norm at a look
        self._looked_at: int | None = None
        self._last_healthy = LastHealthy(rollback_factor, rollbacks) if action == "rollback" else None
        self._classifier: Classifier | None = None
        self._seconds, self._began = 0.0, time.perf_counter()

    def start(self, trainer: Trainer) -> None:
        self._began = began = time.perf_counter()
        real = measure.as_network_input(trainer, trainer.data.train.images[: self.samples])
        self._real = measure.diversity(real), measure.saturated_share(real)
        self._classifier = measure.find_classifier(trainer)
        self._weights = self._weights or measure.watch_weights(trainer)
        if self._last_healthy:
            self._last_healthy.start(trainer)
        self._seconds += time.perf_counter() - began

    def scalars(self, trainer: Trainer, values: dict[str, float]) -> None:
        self._published |= {name: value for name, value in values.items() if not name.startswith(TIMED_PREFIXES)}

    def record(self, trainer: Trainer, record: dict[str, Any]) -> None:
        """Look at the scores of a metric by which a run can be judged."""
        if not record.get("judges_run"):
            return
        name = record["metric"]
        self._rises[name] = record["higher_is_better"]
        self._scores.setdefault(name, []).append(record["value"])
        if finding := find_worsening(name, self._scores[name], higher_is_better=self._rises[name]):
            self._warn(trainer, finding)
        else:
            self._active.pop(f"worsening/{name}", None)

    def tick(self, trainer: Trainer) -> None:
        self._look(trainer, last=trainer.images >= trainer.total_images)

    def finish(self, trainer: Trainer) -> None:
        if self._looked_at != trainer.images and not trainer.interrupted:
            self._look(trainer, last=trainer.images >= trainer.total_images)

    def sick(self, trainer: Trainer, error: Diverged) -> None:
        self._warn(trainer, Finding("sick", str(error), lower=RATES))

    def fail(self, trainer: Trainer, error: GenlabError) -> None:
        if isinstance(error, Diverged) and "sick" not in self._active:
            self._warn(trainer, Finding("diverged", str(error), lower=RATES))

    def state_dict(self) -> dict[str, Any]:
        names = ("found", "_active", "_suspects", "_scores", "_rises", "_published", "_looked_at")
        names += ("_weights", "_steepest")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        found = self.found or state["found"]  # warnings of this process stay when the run goes back
        vars(self).update(state | {"found": found})

    def _look(self, trainer: Trainer, *, last: bool) -> None:
        began = time.perf_counter()
        with interruptible():
            reading = self._read(trainer, thorough=last or "missing_classes" in self._suspects | self._active)
        self._looked_at = trainer.images
        problems = {one.kind: one for one in find_problems(reading)} if trainer.images >= self.after else {}
        confirmed = [one for one in problems.values() if last or self._holds(one)]
        recovered = set(LOOK_KINDS) - problems.keys()
        self._active = {topic: key for topic, key in self._active.items() if topic not in recovered}
        self._suspects = {one.kind: one.extent for one in problems.values()}
        for finding in confirmed:
            self._warn(trainer, finding)
        if self._last_healthy and trainer.images >= self.after and self._is_healthy:
            self._last_healthy.save(trainer)
        self._seconds += time.perf_counter() - began
        self._publish(trainer, reading)

    def _holds(self, finding: Finding) -> bool:
        """Whether the last look showed the same problem, and no more of it."""
        return finding.extent >= self._suspects.get(finding.kind, math.inf)

    @property
    def _is_healthy(self) -> bool:
        """Return whether no problem is known, and no last score is worse than the one before."""
        declining = (is_declining(self._scores[name], higher_is_better=rises) for name, rises in self._rises.items())
        return not (self._active or self._suspects or any(declining))

    def _read(self, trainer: Trainer, *, thorough: bool) -> Reading:
        samples = trainer.samples.draw_samples(0, self.samples)
        diversity, saturated = self._real
        measured = {"diversity": measure.diversity(samples) / max(diversity, 1e-9)}
        if trainer.spec.height is not None:
            measured |= {"saturated": measure.saturated_share(samples), "real_saturated": saturated}
        measured |= measure.discriminator_accuracy(trainer, samples) | measure.latent_nats(trainer, self.samples)
        weights = measure.watch_weights(trainer)
        measured |= measure.separation(trainer, self.samples) | measure.movements(self._weights, weights)
        self._weights = weights
        classes = measure.ClassCounts()
        if self._classifier is not None:
            classes = measure.count_classes(self._classifier, trainer, samples, thorough=thorough)
            tags, total = measure.class_tags(trainer.spec.class_names), sum(classes.counts)
            measured |= {tag: count / total for tag, count in zip(tags, classes.counts, strict=True)}
        steepest, settings = self._steepest, measure.settings_of(trainer)
        self._steepest = max(steepest, self._published.get("generator/gradient_norm", 0.0))
        names, young = trainer.spec.class_names, trainer.images < MIN_PASSES * trainer.spec.images
        missing = [] if young else [names[number] if number < len(names) else str(number) for number in classes.missing]
        return Reading(self._published, measured, missing, classes.missing_at_first, trainer.fair, settings, steepest)

    def _publish(self, trainer: Trainer, reading: Reading) -> None:
        values, published = dict(reading.measured), reading.published
        if {"discriminator/real_logits", "discriminator/fake_logits"} <= published.keys():
            values["gap"] = published["discriminator/real_logits"] - published["discriminator/fake_logits"]
        norms = {name: value for name, value in published.items() if name.endswith("/gradient_norm")}
        values |= {f"{name.split('/')[0]}_gradient_norm": value for name, value in norms.items()}
        active = {topic.split("/")[0] for topic in self._active}
        values |= {kind: float(kind in active) for kind in (*LOOK_KINDS, "worsening")}
        values["time_share"] = self._seconds / max(time.perf_counter() - self._began, 1e-9)
        trainer.publish({f"health/{name}": value for name, value in values.items()})

    def _warn(self, trainer: Trainer, finding: Finding) -> None:
        """Warn of a problem and respond to it, unless the same warning still holds."""
        if self._active.get(finding.topic) == finding.key:
            return
        self._active[finding.topic] = finding.key
        message = f"{finding.message} {self._respond(trainer, finding)}".rstrip()
        self.found.append({"kind": finding.kind, "message": message, "images": trainer.images})
        log.warning("health, at %s images: %s", f"{trainer.images:,}", message)

    def _respond(self, trainer: Trainer, finding: Finding) -> str:
        """Stop the run or go back, as `action` says, and return a sentence on a rollback, or on what to type."""
        if self._last_healthy:
            return self._last_healthy.request_rollback(trainer)
        if self.action == "stop":
            trainer.stop(f"{finding.message} (callbacks.health.action=stop)")
        return describe_remedy(trainer, finding)


def health_warnings(trainer: Trainer) -> list[dict[str, Any]]:
    """Return every warning of a run: kind, message, images. Empty without a health monitor."""
    return [warning for health in callbacks_of(trainer, Health) for warning in health.found]
