"""Rules that turn measured numbers into warnings: the bounds of healthy runs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from genlab.callbacks import health_advice as advice

MIN_RELATIVE_DIVERSITY = 0.1  # mean distance of samples / of real images: healthy runs have 0.7 to 1.1
MAX_GRADIENT_NORM = 1e6  # healthy runs stay below a thousand
MAX_MEAN_LOGIT = 1e4
MAX_SATURATED_SHARE, MAX_REAL_SATURATED_SHARE = 0.99, 0.95  # of pixels; not judged if real images exceed theirs
MIN_GENERATOR_GRADIENT_NORM = 1e-3  # healthy runs have 0.03 to 100; clipped weights of 0.001 leave 5e-4 and less
MIN_GRADIENT_SHARE = 1e-4  # of the largest at an earlier look
MAX_SEPARATION = 6.0  # between mean logits, over the sum of their deviations: healthy runs stay below 5
MIN_MOVEMENT = 1e-4  # of the generator's weights between two looks, over their length; healthy ones move by 0.01
MIN_MOVEMENT_SHARE = 0.01  # of the discriminator's: where both stand still, a schedule ends
MIN_LATENT_NATS = 0.1  # of an image's posterior from the prior; healthy runs have 1 to 100
MAX_ACCURACY_GAP = 0.2  # between training and held-out images; 0.06 is chance among 100 of each
RATES = tuple(f"optimizer.{player}.lr" for player in ("generator", "discriminator", "autoencoder"))
WORSE_SCORES_IN_A_ROW = 3
MORE_DATA = "Use more data, or augment=[diffaugment], in a new run."
MIN_WORSENING_FACTOR = 1.2  # of the last score to the best


class Finding(NamedTuple):
    kind: str  # collapsed, missing_classes, diverged, stalled, overfits, worsening, sick
    message: str
    key: str = ""  # a warning is repeated if this changes
    extent: int = 0  # falls while the run recovers, or has only begun
    metric: str = ""  # for `worsening`
    lower: tuple[str, ...] = ()  # keys of the config whose lower values may help

    @property
    def topic(self) -> str:
        """Return the name under which a warning is given once."""
        return f"{self.kind}/{self.metric}" if self.metric else self.kind


@dataclass(frozen=True)
class Settings:
    """Facts of the loss and the trainer that explain a run's numbers."""

    lowest_loss: float | None = None  # of the discriminator, where it is sure of every image; None: there is none
    winning_margin: float = 0.0  # of its loss above the lowest, below which it has won
    clip_weights: float | None = None
    adversarial: bool = True  # it has a discriminator
    flipped: float = 0.0  # share of pairs whose labels swap places; `lowest_loss` expects them
    idle_player: str = ""  # generator or autoencoder whose rate is 0 by the config, no matter where a schedule is


@dataclass(frozen=True)
class Reading:
    """The numbers of one look at a run."""

    published: dict[str, float]  # the latest value of each of training's numbers
    measured: dict[str, float]  # diversity, saturated, accuracy_train, latent_nats, separation, ...
    missing: list[str] = field(default_factory=list)  # names or numbers of classes; none while a model is young
    missing_at_first: int = 0  # number of classes missing at a first glance
    fair: bool = True  # samples are a fair picture of the model
    settings: Settings = Settings()
    steepest: float = 0.0  # largest gradient norm of the generator at an earlier look


def find_problems(reading: Reading) -> Iterator[Finding]:
    """Yield every problem that one look shows."""
    yield from find_divergence(reading)
    yield from find_collapse(reading)
    yield from find_stall(reading)
    yield from find_overfitting(reading.measured)


def find_divergence(reading: Reading) -> Iterator[Finding]:
    measured = reading.measured
    if not math.isfinite(measured["diversity"]):
        yield Finding("diverged", "The run diverged: samples are not finite. Lower the learning rates.", lower=RATES)
    bounds = {"gradient_norm": MAX_GRADIENT_NORM, "_logits": MAX_MEAN_LOGIT}
    for name, value in reading.published.items():
        bound = next((bound for ending, bound in bounds.items() if name.endswith(ending)), math.inf)
        if not abs(value) <= bound:
            words = f"The run diverged: {name} is {value:.3g}. {advice.calm_down(reading)}"
            yield Finding("diverged", words, lower=() if reading.settings.idle_player else RATES)
            return
    if measured.get("saturated", 0) > MAX_SATURATED_SHARE and measured["real_saturated"] < MAX_REAL_SATURATED_SHARE:
        share = f"{measured['saturated']:.0%} of the samples' pixels are black or white"
        idle = advice.describe_idle(reading)
        words = f"The run diverged: {share}. {idle or 'Lower its learning rate.'}"
        yield Finding("diverged", words, lower=() if idle else RATES[::2])


def find_collapse(reading: Reading) -> Iterator[Finding]:
    relative = reading.measured["diversity"]
    nats = reading.measured.get("latent_nats", math.inf)
    if nats < MIN_LATENT_NATS:
        yield Finding("collapsed", advice.describe_posterior_collapse(nats), lower=("trainer.beta",))
    elif not reading.fair or not math.isfinite(relative):
        return
    elif relative < MIN_RELATIVE_DIVERSITY:
        alike = f"samples differ {relative:.1%} as much as real images do, they show one image"
        slower = () if reading.settings.idle_player else RATES[::2]
        yield Finding("collapsed", advice.describe_collapse(alike, reading), lower=slower)
    elif reading.missing:
        classes = ", ".join(reading.missing)
        yield Finding("missing_classes", advice.describe_missing(classes, reading), classes, reading.missing_at_first)


def find_stall(reading: Reading) -> Iterator[Finding]:
    """Find a discriminator that has won, or a generator that learns nothing more."""
    gradient = reading.published.get("generator/gradient_norm", math.inf)
    separation, won = reading.measured.get("separation", 0.0), discriminator_margin(reading)
    if won < reading.settings.winning_margin:
        yield stall_finding(advice.describe_victory(won, reading), reading)
    elif gradient < max(MIN_GENERATOR_GRADIENT_NORM, MIN_GRADIENT_SHARE * reading.steepest):
        yield stall_finding(advice.describe_vanished(gradient, reading), reading)
    elif separation > MAX_SEPARATION:
        yield stall_finding(advice.describe_separation(separation, reading), reading)
    elif stands_still(reading):
        yield stall_finding(advice.describe_standstill(reading), reading)


def stall_finding(words: str, reading: Reading) -> Finding:
    """Return the finding of a generator that no longer learns, against which a slower discriminator may help."""
    return Finding("stalled", f"The run stalled: {words}", lower=() if reading.settings.idle_player else RATES[1:2])


def stands_still(reading: Reading) -> bool:
    """Tell whether the generator does not learn while the discriminator does."""
    moved, other = (reading.measured.get(f"{name}_moved", math.inf) for name in ("generator", "discriminator"))
    return reading.settings.idle_player == "generator" or moved < min(MIN_MOVEMENT, MIN_MOVEMENT_SHARE * other)


def discriminator_margin(reading: Reading) -> float:
    """Return how far the discriminator's loss is above its lowest, in the worse direction of a two-way translator."""
    published, lowest = reading.published, reading.settings.lowest_loss
    if lowest is None or published.get("discriminator/real_logits", 0) == published.get("discriminator/fake_logits", 0):
        return math.inf
    names = ("discriminator/adversarial", "discriminator/back/adversarial")
    return min(published.get(name, math.inf) - lowest for name in names)


def find_overfitting(measured: dict[str, float]) -> Iterator[Finding]:
    train, held = measured.get("accuracy_train", 0.0), measured.get("accuracy_holdout", 0.0)
    if train - held > MAX_ACCURACY_GAP:
        words = f"it recognises {train:.0%} of training images as real, and {held:.0%} of held-out ones"
        yield Finding(
            "overfits", f"The discriminator overfits: {words}. Use more data, or augment=[diffaugment], in a new run."
        )


def is_declining(values: list[float], *, higher_is_better: bool) -> bool:
    """Return whether the last score of a metric is worse than the one before."""
    return len(values) > 1 and (values[-1] < values[-2] if higher_is_better else values[-1] > values[-2])


def find_worsening(name: str, values: list[float], *, higher_is_better: bool) -> Finding | None:
    """Return a finding if the scores of one metric, oldest first, get worse and worse; else None."""
    last = values[-WORSE_SCORES_IN_A_ROW - 1 :]
    declines = [is_declining(list(pair), higher_is_better=higher_is_better) for pair in pairwise(last)]
    if len(declines) < WORSE_SCORES_IN_A_ROW or not all(declines):
        return None
    best = max(values) if higher_is_better else min(values)
    if abs(last[-1] - best) < (MIN_WORSENING_FACTOR - 1) * min(abs(last[-1]), abs(best)):
        return None
    way, numbers = "fell" if higher_is_better else "rose", ", ".join(f"{value:.4g}" for value in last)
    words = f"The run gets worse: {name} {way} {len(declines)} times in a row ({numbers}; its best was {best:.4g})"
    return Finding("worsening", f"{words}. Stop it: callbacks.early_stop.patience.", metric=name)
