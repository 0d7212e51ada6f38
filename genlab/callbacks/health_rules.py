"""Which numbers mean that a run is sick, the bounds that say so, and the words for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

ALIKE = 0.1  # diversity relative to real images': healthy runs have 0.7 to 1.1
EXPECTED = 5  # of a class among as many real images, before none of it among samples says anything
STEEP = 1e6  # norm of a gradient: healthy ones stay below a thousand
LARGE = 1e4  # mean logit
FULL = 0.99  # share of saturated pixels, where real images have fewer than 0.95
WON = 0.02  # the discriminator's loss: it is right with 99 % certainty
SPREAD = 0.2  # accuracy on training images less that on held-out ones; 0.06 is chance among 100 of each
WORSE = 3  # scores in a row
BY = 1.2  # and this much worse than the best


class Finding(NamedTuple):
    kind: str  # collapsed, missing_classes, diverged, stalled, overfits, worsening
    message: str
    key: str = ""  # what of it must change for it to be said again
    extent: int = 0  # while this falls the run is recovering, or only beginning
    metric: str = ""  # of `worsening`

    @property
    def topic(self) -> str:
        """What is said once."""
        return f"{self.kind}/{self.metric}" if self.metric else self.kind


@dataclass(frozen=True)
class Reading:
    """One look at a run."""

    published: dict[str, float]  # training's own numbers, the latest of each name
    measured: dict[str, float]  # diversity, saturated, accuracy_train, ...
    missing: list[int] = field(default_factory=list)  # classes
    scarce: int = 0  # classes missing at a first glance
    fair: bool = True  # samples are a fair picture of the model


def findings(reading: Reading) -> Iterator[Finding]:
    """Everything that one look shows."""
    yield from diverged(reading)
    yield from collapsed(reading)
    yield from stalled(reading.published)
    yield from overfits(reading.measured)


def diverged(reading: Reading) -> Iterator[Finding]:
    measured = reading.measured
    if not math.isfinite(measured["diversity"]):
        yield Finding("diverged", "The run diverged: samples are not finite. Lower the learning rates.")
    for name, value in reading.published.items():
        bound = STEEP if name.endswith("gradient_norm") else LARGE if name.endswith("_logits") else math.inf
        if not abs(value) <= bound:
            advice = "Lower the learning rates, set trainer.clip_gradients, or add a penalty (penalty=[r1])."
            yield Finding("diverged", f"The run diverged: {name} is {value:.3g}. {advice}")
            return
    if measured.get("saturated", 0) > FULL and measured["real_saturated"] < 0.95:
        share = f"{measured['saturated']:.0%} of the samples' pixels are black or white"
        yield Finding("diverged", f"The run diverged: {share}. Lower the generator's learning rate.")


def collapsed(reading: Reading) -> Iterator[Finding]:
    relative = reading.measured["diversity"]
    if not reading.fair or not math.isfinite(relative):
        return
    if relative < ALIKE:
        words = f"The generator collapsed: samples differ {relative:.1%} as much as real images do, they show one image"
        yield Finding("collapsed", f"{words}. Lower its learning rate, or try model=wgan_gp or another penalty.")
    elif reading.missing:
        classes = ", ".join(map(str, reading.missing))
        words = f"The generator lost classes: no sample shows {classes}."
        yield Finding("missing_classes", words, classes, reading.scarce)


def stalled(published: dict[str, float]) -> Iterator[Finding]:
    """A loss that is negative, as a critic's is, has no lowest value to stall at."""
    loss = published.get("discriminator/adversarial", math.inf)
    apart = published.get("discriminator/real_logits", 0) != published.get("discriminator/fake_logits", 0)
    if 0 <= loss < WON and apart:
        words = f"The run stalled: the discriminator won, its loss is {loss:.2g} and it has little left to teach"
        yield Finding("stalled", f"{words}. Lower optimizer.discriminator.lr, or add a penalty (penalty=[r1]).")


def overfits(measured: dict[str, float]) -> Iterator[Finding]:
    train, held = measured.get("accuracy_train", 0.0), measured.get("accuracy_holdout", 0.0)
    if train - held > SPREAD:
        words = f"it recognises {train:.0%} of training images as real, and {held:.0%} of held-out ones"
        yield Finding("overfits", f"The discriminator overfits: {words}. Use more data, or augment=[diffaugment].")


def declines(values: list[float], *, higher_is_better: bool) -> bool:
    """Whether the last score of a metric is worse than the one before."""
    return len(values) > 1 and (values[-1] < values[-2] if higher_is_better else values[-1] > values[-2])


def worsening(name: str, values: list[float], *, higher_is_better: bool) -> Finding | None:
    """Judges the scores of one metric, oldest first."""
    last = values[-WORSE - 1 :]
    pairs = zip(last, last[1:], strict=False)
    if len(last) <= WORSE or not all(declines(list(pair), higher_is_better=higher_is_better) for pair in pairs):
        return None
    best = max(values) if higher_is_better else min(values)
    if abs(last[-1] - best) < (BY - 1) * min(abs(last[-1]), abs(best)):
        return None
    way, numbers = "fell" if higher_is_better else "rose", ", ".join(f"{value:.4g}" for value in last)
    words = f"The run gets worse: {name} {way} {WORSE} times in a row ({numbers}; its best was {best:.4g})"
    return Finding("worsening", f"{words}. Stop it: callbacks.early_stop.patience.", metric=name)
