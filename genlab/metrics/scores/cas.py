"""Classification accuracy scores: train classifiers on generated images and on real ones, and test on the others."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genlab.core.pixels import to_float
from genlab.core.random import generator, mix
from genlab.core.types import Amount, Positive
from genlab.metrics.extractors.extractor import full_precision, samples_as_measured
from genlab.metrics.metric import SourceMetric
from genlab.metrics.references.reference import Reference
from genlab.metrics.trained_model import TrainedModel

BATCH_SIZE = 100
MAX_LEARNING_RATE = 3e-3  # of AdamW with one cycle
Labelled = tuple[Tensor, Tensor]  # images float [N, C, H, W] in [-1, 1], classes int64 [N]


class ClassificationAccuracy(SourceMetric):
    """Small classifiers, all trained alike; `gan_train` is the classification accuracy score; higher is better.

    gan_train: trained on samples, tested on real images (Ravuri and Vinyals 2019, section 3; there a ResNet-50)
    gan_test: trained on real images, tested on samples (Shmelkov et al. 2018, section 3.1); high for copies, too
    real_train: trained and tested on real images, to compare the others with
    real_plus_PERCENT: trained on real images and so many percent more samples (Ravuri and Vinyals 2019, section 4.3)

    For models with classes. Real images are trained on from the training split, and tested on from `metrics.split`.
    """

    numbers = ("gan_*", "real_*")
    neutral = ("real_train",)
    higher_is_better = True

    def __init__(
        self,
        images: Amount = 10_000,  # real ones, and samples, to train on
        *,
        amounts: Sequence[Positive] = (0.25, 0.5, 1.0),  # of samples added to real images, as a share of these
        steps: Amount = 400,  # of 100 images, of every classifier
    ) -> None:
        self.images, self.amounts, self.steps = images, amounts, steps

    @property
    def settings(self) -> str:
        return f"convolutions 16-32-64, {self.steps} steps of {BATCH_SIZE}; at most {self.images:,} images of each kind"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        spec = reference.data.spec
        if not spec.height or spec.class_count is None or reference.classes is None:
            return f"it needs images with classes, and {reference.name} has none"
        if trained is None or not trained.model.conditional:
            return "it needs a model that is told classes, and this one is not: choose one such as model=cgan"
        if reference.split is reference.data.train:
            return "it tests on images that real ones were not trained on: set metrics.split=test"
        return None

    def compute(self, reference: Reference) -> dict[str, float]:
        """Return the accuracies; a diverged generator scores as guessing does, about 0.1 for ten classes."""
        fake = self.samples(reference)
        device = fake[0].device
        training = Reference(reference.data, "train", reference.extractor, batch_size=reference.batch_size)
        real = labelled_images(training.draw_images(self.images, self.source.seed), device)
        test = labelled_images((reference.data.spec.crop(reference.split.images), reference.classes), device)
        classes = reference.data.spec.class_count

        def train(*parts: Labelled) -> nn.Module:
            images, labels = (torch.cat(both) for both in zip(*parts, strict=True))
            return train_classifier((images, labels), classes, steps=self.steps, seed=self.source.seed)

        by_real = train(real)
        found = {
            "gan_train": accuracy(train(fake), test),
            "gan_test": accuracy(by_real, fake),
            "real_train": accuracy(by_real, test),
        }
        for amount in self.amounts:
            more = round(amount * len(real[0]))
            part = tuple(kind[:more] for kind in fake)
            found[f"real_plus_{100 * amount:g}"] = accuracy(train(real, part), test)
        return found

    @torch.no_grad()
    def samples(self, reference: Reference) -> Labelled:
        """Return the first samples of the fixed stream as they would be saved; non-finite values become grey."""
        images, labels = [], []
        for start in range(0, self.images, reference.batch_size):
            count = min(reference.batch_size, self.images - start)
            made = self.source.sample(start, count)
            images.append(samples_as_measured(made.nan_to_num(0, 0, 0), reference.data.spec))
            labels.append(self.source.conditions(start, count).to(made.device))
        return torch.cat(images), torch.cat(labels)


def labelled_images(split: tuple[Tensor, Tensor], device: torch.device) -> Labelled:
    """Return the cropped uint8 images whose class is known, as float, with their classes."""
    images, labels = split
    rows = labels >= 0
    return to_float(images[rows]).to(device), labels[rows].to(device)


def train_classifier(data: Labelled, classes: int, *, steps: int, seed: int) -> nn.Module:
    """Train a small classifier and return it in evaluation mode. The global random state is left alone."""
    images, labels = data
    network = build_classifier(images.shape[1], classes, seed).to(images.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=MAX_LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=MAX_LEARNING_RATE, total_steps=steps)
    source = generator(seed, "classifier batches")
    with torch.enable_grad(), full_precision(images.device):
        for _ in range(steps):
            rows = torch.randint(len(images), (BATCH_SIZE,), generator=source).to(images.device)
            loss = cross_entropy(network(images[rows]), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def build_classifier(channels: int, classes: int, seed: int) -> nn.Module:
    """Build the network from [N, C, H, W], of any size from 8 pixels, to logits [N, classes]."""
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
