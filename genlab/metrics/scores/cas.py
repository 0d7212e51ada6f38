"""What can a classifier learn from generated images, and what does one of real images see in them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genlab.core.pixels import to_float
from genlab.core.random import generator, mix
from genlab.core.types import Count, Positive
from genlab.metrics.extractors.extractor import full_precision
from genlab.metrics.extractors.measured_images import samples_as_measured
from genlab.metrics.metric import Asking
from genlab.metrics.references.reference import Reference

if TYPE_CHECKING:
    from genlab.metrics.trained_model import Trained

BATCH = 100
RATE = 3e-3  # the highest, of AdamW with one cycle
Labelled = tuple[Tensor, Tensor]  # images float [N, C, H, W] in [-1, 1], classes int64 [N]


class ClassificationAccuracy(Asking):
    """Small classifiers, all trained alike; `gan_train` is the classification accuracy score; higher is better.

    gan_train: trained on samples, tested on real images (Ravuri and Vinyals 2019, section 3; there a ResNet-50)
    gan_test: trained on real images, tested on samples (Shmelkov et al. 2018, section 3.1); high for copies, too
    real_train: trained and tested on real images, what the others are to be seen beside
    real_plus_PERCENT: trained on as many real images and so many samples more (Ravuri and Vinyals 2019, section 4.3)

    Of models that are told classes. Real training images come from the training split, and tests from `metrics.split`.
    """

    numbers = ("gan_*", "real_*")
    higher_is_better = True

    def __init__(
        self,
        images: Count = 10_000,  # real ones, and samples, that are learned from
        *,
        amounts: Sequence[Positive] = (0.25, 0.5, 1.0),  # of samples beside real images, as a share of those
        steps: Count = 400,  # of 100 images, for every classifier
    ) -> None:
        self.images, self.amounts, self.steps = images, amounts, steps

    @property
    def settings(self) -> str:
        return f"convolutions 16-32-64, {self.steps} steps of {BATCH}; at most {self.images:,} images of each kind"

    def unfit(self, reference: Reference, trained: Trained | None) -> str | None:
        spec, labels = reference.data.spec, reference.split.labels
        if not spec.height or not spec.classes or labels is None or labels.ndim != 1:
            return f"it needs images with classes, and {reference.name} has none"
        if not getattr(getattr(trained, "model", None), "conditional", False):
            return "it needs a model that is told classes, and this one is not: choose one such as model=cgan"
        if reference.split is reference.data.train:
            return "it tests on images that real ones were not trained on: set metrics.split=test"
        return None

    def compute(self, reference: Reference) -> dict[str, float]:
        """0.1 or so, what guessing gives, of a generator that diverged."""
        fake = self.samples(reference)
        device = fake[0].device
        training = Reference(reference.data, "train", reference.extractor, batch_size=reference.batch_size)
        real = known(training.some(self.images, self.source.seed), device)
        test = known((reference.data.spec.crop(reference.split.images), reference.split.labels), device)
        classes = reference.data.spec.classes

        def learned(*parts: Labelled) -> nn.Module:
            images, labels = (torch.cat(both) for both in zip(*parts, strict=True))
            return trained_on((images, labels), classes, steps=self.steps, seed=self.source.seed)

        by_real = learned(real)
        found = {
            "gan_train": accuracy(learned(fake), test),
            "gan_test": accuracy(by_real, fake),
            "real_train": accuracy(by_real, test),
        }
        for amount in self.amounts:
            more = round(amount * len(real[0]))
            part = tuple(kind[:more] for kind in fake)
            found[f"real_plus_{100 * amount:g}"] = accuracy(learned(real, part), test)
        return found

    @torch.no_grad()
    def samples(self, reference: Reference) -> Labelled:
        """The first of the fixed stream, as they would be saved; what is not finite is grey."""
        images, labels = [], []
        for start in range(0, self.images, reference.batch_size):
            count = min(reference.batch_size, self.images - start)
            made = self.source.sample(start, count)
            images.append(samples_as_measured(made.nan_to_num(0, 0, 0), reference.data.spec))
            labels.append(self.source.conditions(start, count).to(made.device))
        return torch.cat(images), torch.cat(labels)


def known(split: tuple[Tensor, Tensor], device: torch.device) -> Labelled:
    """Those of uint8 images, cropped, whose class is known."""
    images, labels = split
    rows = labels >= 0
    return to_float(images[rows]).to(device), labels[rows].to(device)


def trained_on(data: Labelled, classes: int, *, steps: int, seed: int) -> nn.Module:
    """In evaluation mode. The global random state is left alone."""
    images, labels = data
    network = small_network(images.shape[1], classes, seed).to(images.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
    source = generator(seed, "classifier batches")
    with torch.enable_grad(), full_precision(images.device):
        for _ in range(steps):
            rows = torch.randint(len(images), (BATCH,), generator=source).to(images.device)
            loss = cross_entropy(network(images[rows]), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def small_network(channels: int, classes: int, seed: int) -> nn.Module:
    """[N, C, H, W] of any size from 8 pixels -> logits [N, classes]."""
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(mix(seed, "classifier weights"))
        for inputs, outputs in ((channels, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64 * 4, classes))


@torch.no_grad()
def accuracy(network: nn.Module, data: Labelled) -> float:
    images, labels = data
    with full_precision(images.device):
        guesses = torch.cat([network(part).argmax(1) for part in images.split(1_000)])
    return (guesses == labels).double().mean().item()
