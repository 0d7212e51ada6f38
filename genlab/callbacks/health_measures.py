"""Measurements of the health monitor between steps."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.callbacks.health_rules import Settings
from genlab.core.errors import ConfigError
from genlab.core.evaluation_mode import evaluating
from genlab.core.pixels import network_values
from genlab.data.dataset import Split
from genlab.metrics.extractors.digit_classifier import Classifier
from genlab.models.contract import MultiStage, per_image
from genlab.trainers.encoder import posterior_divergence
from genlab.trainers.system import Player, bounds_critic
from genlab.trainers.trainer import Trainer

DIGITS = 10  # classes of the bundled classifier
SATURATION_LEVEL = 0.99  # absolute value from which a pixel in [-1, 1] is saturated
CLASSIFIER_BATCH = 20  # images: the first batch of another size costs as much as 50 images
GLANCE_SAMPLES = 60  # classified at every look: each costs as much as training with three images
MAX_THOROUGH_ROUNDS = 10  # of all samples, classified before a class is called missing
WEIGHTS_WATCHED = 8  # of each parameter, the first
FLIPPED_MARGIN_FACTOR = 3  # which pairs are flipped is drawn, so that the loss scatters about its lowest
MIN_EXPECTED_COUNT = 5  # of a class among as many real images, for its absence among samples to mean anything


def as_network_input(trainer: Trainer, images: Tensor) -> Tensor:
    """Return stored images or points as networks see them."""
    return network_values(images.to(trainer.device), trainer.spec.scale, trainer.samples.dtype)


def settings_of(trainer: Trainer) -> Settings:
    """Return what explains a run's numbers. A loss between images and reconstructions has no discriminator."""
    idle = find_idle_player(trainer.players)
    if "discriminator" not in trainer.players:
        return Settings(adversarial=False, idle_player=idle)
    loss, flipped = trainer.loss, trainer.flip_labels
    margin = loss.winning_margin * (FLIPPED_MARGIN_FACTOR if flipped else 1)
    return Settings(loss.lowest_loss(flipped), margin, trainer.clip_weights, flipped=flipped, idle_player=idle)


def find_idle_player(players: Mapping[str, Player]) -> str:
    """Return the generator or autoencoder that learns at rate 0 while others do not; "" if there is none.

    Rates are those before schedules: a rate that falls to 0 at the end of a run is none of these.
    """
    rates = {name: max(player.rates) for name, player in players.items()}
    idle = [name for name in ("generator", "autoencoder") if rates.get(name) == 0]
    return idle[0] if idle and (len(rates) == 1 or any(rates.values())) else ""


def diversity(images: Tensor) -> float:
    """Return the mean Euclidean distance between two of N images [N, ...]; nan if any number is not finite."""
    return torch.pdist(images.flatten(1).float()).mean().item()


def saturated_share(images: Tensor) -> float:
    """Return the share of pixels at the ends of [-1, 1]."""
    return (images.abs() >= SATURATION_LEVEL).float().mean().item()


def find_classifier(trainer: Trainer) -> Classifier | None:
    """Return the bundled classifier if the data have classes and it recognises them; else None."""
    data, spec = trainer.data, trainer.spec
    if spec.height is None or (labels := data.classes_of(data.train)) is None:
        return None
    classifier = Classifier()
    try:
        classifier.check(spec)
        batch = Split(data.train.images[:CLASSIFIER_BATCH], labels[:CLASSIFIER_BATCH])
        classifier.to(trainer.device).check_reading(batch, spec)
    except ConfigError:  # it knows digits alone
        return None
    return classifier


class ClassCounts(NamedTuple):
    """The classes that a classifier finds in samples."""

    counts: list[int] = []  # samples of each class
    missing: list[int] = []  # classes without any sample
    missing_at_first: int = 0  # number of classes absent from the first samples, which every count looks at


def count_classes(classifier: Classifier, trainer: Trainer, samples: Tensor, *, thorough: bool) -> ClassCounts:
    """Count the classes in a few of `samples`, the first of the fixed noise; if `thorough`, look for missing ones."""
    size, shares = len(samples), class_shares(trainer.data.classes_of(trainer.data.train))
    counts = class_histogram(classifier, trainer, samples[:GLANCE_SAMPLES])
    missing_at_first = len(missing_classes(counts, shares))
    for start in range(0, MAX_THOROUGH_ROUNDS * size if thorough else 0, size):
        if not missing_classes(counts, shares):
            break
        more = trainer.samples.draw_samples(start, size) if start else samples[GLANCE_SAMPLES:]
        counts = [one + other for one, other in zip(counts, class_histogram(classifier, trainer, more), strict=True)]
    return ClassCounts(counts, missing_classes(counts, shares), missing_at_first)


def class_histogram(classifier: Classifier, trainer: Trainer, images: Tensor) -> list[int]:
    """Return the number of images of each class."""
    classes = [classifier.classify(batch).argmax(1) for batch in trainer.spec.crop(images).split(CLASSIFIER_BATCH)]
    return torch.bincount(torch.cat(classes).cpu(), minlength=DIGITS).tolist()


def class_tags(names: Sequence[str]) -> list[str]:
    """Return what curves call the classifier's classes: by name in letters, digits, `.`, `_`, `-`, else by number.

    Names that would be equal in these letters have their number before them.
    """
    known = [re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII) for name in names[:DIGITS]]
    if len(set(known)) < len(known):
        known = [f"{number}_{name}" for number, name in enumerate(known)]
    return [f"class_{name}" for name in [*known, *range(len(known), DIGITS)]]


def missing_classes(counts: list[int], shares: list[float]) -> list[int]:
    """Return classes without samples, of which as many real images would hold MIN_EXPECTED_COUNT."""
    total = sum(counts)
    pairs = enumerate(zip(counts, shares, strict=True))
    return [index for index, (count, share) in pairs if count == 0 and share * total >= MIN_EXPECTED_COUNT]


def class_shares(labels: Tensor) -> list[float]:
    counts = torch.bincount(labels[labels >= 0], minlength=DIGITS)[:DIGITS].double()
    return (counts / counts.sum()).tolist()


@torch.no_grad()
def discriminator_accuracy(trainer: Trainer, samples: Tensor) -> dict[str, float]:
    """Return the discriminator's accuracy on training and on held-out images; {} without them, or if it sees codes.

    An image counts as recognised if its logit is nearer to the training images' mean than to the samples' mean.
    `overfitting` is r_v of Karras et al. 2020 (ADA), equation 1: 0 none, 1 complete.
    """
    holdout = trainer.data.holdout
    if holdout is None or "discriminator" not in trainer.players or trainer.model.discriminates_codes:
        return {}
    network, count = trainer.model.discriminator, len(samples)
    with evaluating(network):
        real, held = (_logits(trainer, split, count) for split in (trainer.data.train, holdout))
        fake = per_image(network, network(samples, trainer.samples.sample_conditions(0, count)))
    middle, gap = (real.mean() + fake.mean()) / 2, real.mean() - fake.mean()
    train, unseen = (((part - middle) * gap.sign() > 0).float().mean() for part in (real, held))
    values = torch.stack([train, unseen, (real.mean() - held.mean()) / gap]).tolist()
    return dict(zip(("accuracy_train", "accuracy_holdout", "overfitting"), values, strict=True))


@torch.no_grad()
def separation(trainer: Trainer, count: int) -> dict[str, float]:
    """Return how far apart logits of training images and of samples lie: their means, over the sum of deviations.

    {} where the loss itself tells who is ahead, where the slope is bounded, so that logits far apart still teach, and
    where the discriminator is shown other images than these. Samples come from the generator in training, as a
    discriminator tells those of the average apart.
    """
    if not judges_by_logits(trainer):
        return {}
    stream, network = replace(trainer.samples, ema=None), trainer.model.discriminator
    with evaluating(network):
        fake = per_image(network, network(stream.draw_samples(0, count), stream.sample_conditions(0, count)))
        real = _logits(trainer, trainer.data.train, count)
    deviations = real.float().std() + fake.float().std()
    return {"separation": ((real.mean() - fake.mean()) / deviations.clamp(min=1e-9)).item()}


def judges_by_logits(trainer: Trainer) -> bool:
    if "discriminator" not in trainer.players or bounds_critic(trainer.system, trainer.clip_weights):
        return False
    shown = not (trainer.system.augmentations or trainer.model.discriminates_codes or trainer.samples.growing)
    return shown and trainer.loss.lowest_loss() is None and not isinstance(trainer.model.generator, MultiStage)


@torch.no_grad()
def watch_weights(trainer: Trainer) -> dict[str, list[float]]:
    """Return some weights of each player, by which its movement between two looks is measured."""
    players = {name: player.parameters for name, player in trainer.players.items() if player.parameters}
    return {
        name: torch.cat([weights.flatten()[:WEIGHTS_WATCHED].double() for weights in parameters]).tolist()
        for name, parameters in players.items()
    }


def movements(before: dict[str, list[float]], now: dict[str, list[float]]) -> dict[str, float]:
    """Return how far each player's weights moved since the last look, over their length."""
    return {
        f"{name}_moved": math.dist(before[name], values) / max(math.hypot(*values), 1e-9)
        for name, values in now.items()
        if len(before.get(name, [])) == len(values)
    }


def latent_nats(trainer: Trainer, count: int) -> dict[str, float]:
    """Return what the latent tells of an image, in nats: its posterior's divergence; {} without posteriors."""
    nats = posterior_divergence(trainer.samples, count)
    return {} if nats is None else {"latent_nats": nats}


def _logits(trainer: Trainer, split: Split, count: int) -> Tensor:
    condition = trainer.samples.conditions_of(split, count)
    network = trainer.model.discriminator
    return per_image(network, network(as_network_input(trainer, split.images[:count]), condition))
