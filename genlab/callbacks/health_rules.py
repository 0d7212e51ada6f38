"""Rules that turn measured numbers into warnings: the bounds of healthy runs, and the messages."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

MIN_RELATIVE_DIVERSITY = 0.1  # mean distance of samples / of real images: healthy runs have 0.7 to 1.1
MAX_GRADIENT_NORM = 1e6  # healthy runs stay below a thousand
MAX_MEAN_LOGIT = 1e4
MAX_SATURATED_SHARE, MAX_REAL_SATURATED_SHARE = 0.99, 0.95  # of pixels; not judged if real images exceed theirs
MIN_GENERATOR_GRADIENT_NORM = 1e-3  # healthy runs have 0.03 to 100; clipped weights of 0.001 leave 5e-4 and less
PUBLISHED_CLIP = 0.01  # of a critic's weights: Arjovsky et al. 2017
MIN_LATENT_NATS = 0.1  # of an image's posterior from the prior; healthy runs have 1 to 100
MAX_ACCURACY_GAP = 0.2  # between training and held-out images; 0.06 is chance among 100 of each
RATES = tuple(f"optimizer.{player}.lr" for player in ("generator", "discriminator", "autoencoder"))
WORSE_SCORES_IN_A_ROW = 3
MORE_DATA = "Use more data, or augment=[diffaugment], in a new run."
MIN_WORSENING_FACTOR = 1.2  # of the last score to the best


class Finding(NamedTuple):
    kind: str  # collapsed, missing_classes, diverged, stalled, overfits, worsening
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


@dataclass(frozen=True)
class Reading:
    """The numbers of one look at a run."""

    published: dict[str, float]  # the latest value of each of training's numbers
    measured: dict[str, float]  # diversity, saturated, accuracy_train, latent_nats, ...
    missing: list[int] = field(default_factory=list)  # classes
    missing_at_first: int = 0  # number of classes missing at a first glance
    fair: bool = True  # samples are a fair picture of the model
    settings: Settings = Settings()


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
            advice = "Lower the learning rates, or set trainer.clip_gradients."
            yield Finding("diverged", f"The run diverged: {name} is {value:.3g}. {advice}", lower=RATES)
            return
    if measured.get("saturated", 0) > MAX_SATURATED_SHARE and measured["real_saturated"] < MAX_REAL_SATURATED_SHARE:
        share = f"{measured['saturated']:.0%} of the samples' pixels are black or white"
        yield Finding("diverged", f"The run diverged: {share}. Lower its learning rate.", lower=RATES[::2])


def find_collapse(reading: Reading) -> Iterator[Finding]:
    relative = reading.measured["diversity"]
    nats = reading.measured.get("latent_nats", math.inf)
    if nats < MIN_LATENT_NATS:
        yield Finding("collapsed", describe_posterior_collapse(nats), lower=("trainer.beta",))
    elif not reading.fair or not math.isfinite(relative):
        return
    elif relative < MIN_RELATIVE_DIVERSITY:
        alike = f"samples differ {relative:.1%} as much as real images do, they show one image"
        yield Finding("collapsed", describe_collapse(alike, reading.settings), lower=RATES[::2])
    elif reading.missing:
        classes = ", ".join(map(str, reading.missing))
        words = f"The generator lost classes: no sample shows {classes}."
        yield Finding("missing_classes", words, classes, reading.missing_at_first)


def describe_posterior_collapse(nats: float) -> str:
    """Bowman et al. 2016, section 3: the decoder ignores the latent, and the divergence costs nothing."""
    words = f"The posterior collapsed: the latent tells {nats:.2g} nats of an image, and the decoder ignores it"
    remedies = "Lower trainer.beta, let it rise slowly (trainer.kl_warmup), or set trainer.free_bits"
    return f"{words}. {remedies}; under loss=gaussian a smaller loss.deviation has the same effect."


def describe_collapse(alike: str, settings: Settings) -> str:
    if settings.adversarial:
        remedy = "Lower its learning rate, or try, in a new run, model=wgan_gp or another penalty."
        return f"The generator collapsed: {alike}. {remedy}"
    return f"The decoder collapsed: {alike}. Lower its learning rate (optimizer.autoencoder.lr)."


def find_stall(reading: Reading) -> Iterator[Finding]:
    """Find a discriminator that has won, or a generator whose gradient has vanished."""
    won, vanished = discriminator_margin(reading), reading.published.get("generator/gradient_norm", math.inf)
    if won < reading.settings.winning_margin:
        words = f"the discriminator won, its loss is {won:.2g} above its lowest and it has little left to teach"
        message = f"The run stalled: {words}. {slow_down_discriminator(reading.published)}"
        yield Finding("stalled", message, lower=RATES[1:2])
    elif vanished < MIN_GENERATOR_GRADIENT_NORM:
        words = f"the generator's gradient vanished, its norm is {vanished:.2g}"
        yield Finding("stalled", f"The run stalled: {words}. {strengthen_gradient(reading)}", lower=RATES[1:2])


def discriminator_margin(reading: Reading) -> float:
    """Return how far the discriminator's loss is above its lowest, in the worse direction of a two-way translator."""
    published, lowest = reading.published, reading.settings.lowest_loss
    if lowest is None or published.get("discriminator/real_logits", 0) == published.get("discriminator/fake_logits", 0):
        return math.inf
    names = ("discriminator/adversarial", "discriminator/back/adversarial")
    return min(published.get(name, math.inf) - lowest for name in names)


def slow_down_discriminator(published: dict[str, float]) -> str:
    generator, discriminator = published.get("generator/lr"), published.get("discriminator/lr")
    penalty = "or add a penalty in a new run (penalty=[r1])"
    if generator is None or discriminator is None:
        return f"Lower optimizer.discriminator.lr, {penalty}."
    if generator == discriminator:
        return f"Both players learn at {generator:.3g}: lower optimizer.discriminator.lr alone, {penalty}."
    rates = f"it learns at {discriminator:.3g}, the generator at {generator:.3g}"
    return f"Lower optimizer.discriminator.lr or raise optimizer.generator.lr ({rates}), {penalty}."


def strengthen_gradient(reading: Reading) -> str:
    clip = reading.settings.clip_weights
    if clip is None:
        return slow_down_discriminator(reading.published)
    widen = f"widen it ({PUBLISHED_CLIP} as published)" if clip < PUBLISHED_CLIP else "change it"
    return (
        f"Weights clipped at trainer.clip_weights={clip:g} leave the critic almost no slope: {widen}, or choose "
        "trainer.clip_weights=null penalty=[gradient_penalty] in a new run."
    )


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
