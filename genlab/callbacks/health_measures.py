"""What the health monitor measures between steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from genlab.core.errors import ConfigError
from genlab.core.pixels import network_values
from genlab.data.dataset import Split
from genlab.metrics.extractors.digit_classifier import Classifier
from genlab.models.contract import per_image

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.trainers.trainer import Trainer

EXTREME = 0.99  # absolute value from which a pixel in [-1, 1] is saturated
PIECE = 20  # images that are classified at a time: to prepare for another number costs as much as 50 images
GLANCE = 60  # samples whose class a look asks for: each costs as much as training with three images
CHUNKS = 10  # times all samples that are looked through at most, before a class is called missing


def seen(trainer: Trainer, images: Tensor) -> Tensor:
    """Stored images or points as networks see them."""
    return network_values(images.to(trainer.device), trainer.spec.scale, trainer.samples.dtype)


def diversity(images: Tensor) -> float:
    """Mean Euclidean distance of two of N images [N, ...]; nan if any number is not finite."""
    return torch.pdist(images.flatten(1).float()).mean().item()


def saturated(images: Tensor) -> float:
    """Share of pixels at the ends of [-1, 1]."""
    return (images.abs() >= EXTREME).float().mean().item()


def reader(trainer: Trainer) -> Classifier | None:
    """The bundled classifier, where the data have classes and it tells them."""
    data, spec = trainer.data, trainer.spec
    if spec.height is None or (labels := data.classes_of(data.train)) is None:
        return None
    classifier = Classifier()
    try:
        classifier.check(spec)
        classifier.to(trainer.device).check_reading(Split(data.train.images[:PIECE], labels[:PIECE]), spec)
    except ConfigError:  # it was made for digits alone
        return None
    return classifier


class Classes(NamedTuple):
    """What a classifier sees in samples."""

    counts: list[int] = []  # samples that show each class
    missing: list[int] = []  # classes that none shows
    scarce: int = 0  # how many are missing at a glance: what a cheap look and a thorough one have in common


def classes(classifier: Classifier, trainer: Trainer, samples: Tensor, expected: float, *, thorough: bool) -> Classes:
    """Of `samples`, the first rows of the run's fixed noise, at a glance; if `thorough`, misses are looked for."""
    size, shares = len(samples), class_shares(trainer.data.classes_of(trainer.data.train))
    counts = histogram(classifier, trainer, samples[:GLANCE])
    scarce = len(missing(counts, shares, expected))
    for start in range(0, CHUNKS * size if thorough else 0, size):
        if not missing(counts, shares, expected):
            break
        more = trainer.samples.draw_samples(start, size) if start else samples[GLANCE:]
        counts = [one + other for one, other in zip(counts, histogram(classifier, trainer, more), strict=True)]
    return Classes(counts, missing(counts, shares, expected), scarce)


def histogram(classifier: Classifier, trainer: Trainer, images: Tensor) -> list[int]:
    """How many of the images show each class."""
    found = [classifier.classify(piece).argmax(1) for piece in trainer.spec.crop(images).split(PIECE)]
    return torch.bincount(torch.cat(found).cpu(), minlength=10).tolist()


def missing(counts: list[int], shares: list[float], expected: float) -> list[int]:
    """Classes that nothing shows, though as many real images would hold `expected` or more of them."""
    total = sum(counts)
    pairs = enumerate(zip(counts, shares, strict=True))
    return [index for index, (count, share) in pairs if count == 0 and share * total >= expected]


def class_shares(labels: Tensor) -> list[float]:
    counts = torch.bincount(labels[labels >= 0], minlength=10)[:10].double()
    return (counts / counts.sum()).tolist()


@torch.no_grad()
def judged(trainer: Trainer, samples: Tensor) -> dict[str, float]:
    """The discriminator's accuracy on training and on held-out images; nothing without them, or if it sees codes.

    An image counts as recognised if its logit is nearer to the training images' mean than to the samples' mean.
    `overfitting` is r_v of Karras et al. 2020 (ADA), equation 1: 0 none, 1 all that tells real from generated.
    """
    holdout = trainer.data.holdout
    if holdout is None or "discriminator" not in trainer.players or trainer.model.discriminates_codes:
        return {}
    network, count = trainer.model.discriminator, len(samples)
    was_training = network.training
    network.eval()
    try:
        real, held = (_logits(trainer, split, count) for split in (trainer.data.train, holdout))
        fake = per_image(network, network(samples, trainer.samples.sample_conditions(0, count)))
    finally:
        network.train(was_training)
    middle, gap = (real.mean() + fake.mean()) / 2, real.mean() - fake.mean()
    train, unseen = (((part - middle) * gap.sign() > 0).float().mean() for part in (real, held))
    values = torch.stack([train, unseen, (real.mean() - held.mean()) / gap]).tolist()
    return dict(zip(("accuracy_train", "accuracy_holdout", "overfitting"), values, strict=True))


def _logits(trainer: Trainer, split: Split, count: int) -> Tensor:
    condition = trainer.samples.conditions_of(split, count)
    network = trainer.model.discriminator
    return per_image(network, network(seen(trainer, split.images[:count]), condition))
