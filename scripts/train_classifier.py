"""Train a small classifier on the training split: the bundled ones, whose features scores use, or your own.

python scripts/train_classifier.py                                          (MNIST's; 5 minutes on 2 CPU cores)
python scripts/train_classifier.py data=pixel_faces --out genlab/metrics/weights/pixel_faces_classifier.safetensors \\
    --epochs 12 --batch 100 --no-jitter                                     (pixel faces'; 6 minutes on a CPU core)
python scripts/train_classifier.py data=folder data.root=PATH data.size=32 data.test_share=0.1 --out FILE --epochs 30

Words with `=` are those of genlab.train and choose the data, which must have classes or attributes of 0 and 1, and a
test split. Scores use FILE
by metrics/extractor=own_classifier metrics.extractor.weights=FILE metrics=[accuracy]; every record then holds the
classifier's own accuracy on the test split. FILE also holds the temperature by which logits are divided: label
smoothing leaves a classifier less sure than it is right, and `classifier_score` would measure that.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn.functional import affine_grid, binary_cross_entropy_with_logits, cross_entropy, grid_sample

from genlab.build import instantiate as build
from genlab.cli.command import exit_code_of
from genlab.cli.composition import compose
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float
from genlab.data import InMemory, Split
from genlab.metrics.extractors.classifier import ImageClassifier
from genlab.metrics.extractors.digit_classifier import CLASSIFIER_WEIGHTS

OUT = CLASSIFIER_WEIGHTS
SMOOTHING = 0.05  # of labels
TEMPERATURES = 0.05, 20.0  # searched: without any error on these images, 0 would be best


class Labelled(NamedTuple):
    images: Tensor  # float [N, C, H, W] in [-1, 1]
    labels: Tensor  # classes int64 [N]; or attributes float32 [N, K] in {0, 1}


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    return exit_code_of(lambda: train(options))


def train(options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    data = build.dataset(compose("train", options.words)["data"])
    real, test = labelled_images(data, data.train), labelled_images(data, data.test)
    outputs = data.spec.class_count if real.labels.ndim == 1 else real.labels.shape[1]
    classifier = ImageClassifier(real.images.shape[1], tuple(real.images.shape[2:]), outputs)
    orders = balanced_rows if options.balanced else shuffled_rows
    fit(classifier.to(memory_format=torch.channels_last), real, orders, options)
    standardise(classifier, real.images)
    found = classifier_facts(data, classifier, test) | {"temperature": temperature(classifier, real)}
    weights = {name: value.contiguous() for name, value in classifier.state_dict().items()}
    save_file(weights, options.out, metadata={"classifier": json.dumps(found)})
    print("\n".join(describe(found)))
    print(f"temperature {found['temperature']:.3f}")
    print(f"wrote {options.out}")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="of the data, as for genlab.train")
    parser.add_argument("--out", type=Path, help="the file; without other data the bundled one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=250)
    parser.add_argument("--balanced", action="store_true", help="show every class as often, however rare it is")
    parser.add_argument("--no-jitter", action="store_true", help="for pictures whose parts have fixed places")
    options = parser.parse_intermixed_args(arguments)
    if options.words and options.out is None:
        parser.error("--out FILE is needed with data of your own")
    options.out = options.out or OUT
    return options


def labelled_images(data: InMemory, split: Split | None) -> Labelled:
    """Return the images whose class, or attributes, are known. Raises ConfigError without these, or such a split."""
    if split is None or split.labels is None or not (split.labels.ndim == 1 or are_attributes(split.labels)):
        raise ConfigError(
            f"{data.name}: a classifier needs classes and a test split, or attributes of 0 and 1. Choose labelled "
            "data; of a folder of class folders data.test_share=0.1 is held out."
        )
    rows = split.labels >= 0 if split.labels.ndim == 1 else slice(None)
    return Labelled(to_float(data.spec.crop(split.images[rows])), split.labels[rows])


def are_attributes(labels: Tensor) -> bool:
    return labels.ndim == 2 and labels.is_floating_point() and bool(((labels == 0) | (labels == 1)).all())


def classifier_facts(data: InMemory, classifier: ImageClassifier, test: Labelled) -> dict[str, Any]:
    shared = {
        "data": data.name,
        "shape": list(test.images.shape[1:]),
        "images": len(data.train.images),
        "test_images": len(test.labels),
    }
    measured = class_facts if test.labels.ndim == 1 else attribute_facts
    return shared | measured(data, predict(classifier, test.images), test.labels)


def class_facts(data: InMemory, logits: Tensor, labels: Tensor) -> dict[str, Any]:
    right = (logits.argmax(1) == labels).double()
    shares = [right[labels == label].mean().item() for label in labels.unique()]
    return {
        "classes": data.class_names or list(map(str, range(data.spec.class_count))),
        "accuracy": right.mean().item(),
        "balanced_accuracy": sum(shares) / len(shares),
    }


def attribute_facts(data: InMemory, logits: Tensor, labels: Tensor) -> dict[str, Any]:
    right = ((logits > 0) == (labels > 0.5)).double()
    names = data.spec.condition.label_names or tuple(map(str, range(labels.shape[1])))
    return {
        "attributes": list(names),
        "accuracy": right.mean().item(),  # the mean over attributes
        "accuracies": dict(zip(names, right.mean(0).tolist(), strict=True)),
    }


def describe(found: dict[str, Any]) -> list[str]:
    """Return the lines about a classifier's accuracy."""
    if "classes" in found:
        return [f"test accuracy {found['accuracy']:.2%}, mean over classes {found['balanced_accuracy']:.2%}"]
    each = (f"{name} {share:.2%}" for name, share in found["accuracies"].items())
    return [f"test accuracy {found['accuracy']:.2%}, the mean over attributes", *each]


def shuffled_rows(labels: Tensor) -> Tensor:
    return torch.randperm(len(labels))


def balanced_rows(labels: Tensor) -> Tensor:
    """Return as many random rows, with all classes equally likely."""
    return torch.multinomial(1 / torch.bincount(labels)[labels].double(), len(labels), replacement=True)


def fit(
    classifier: ImageClassifier, real: Labelled, orders: Callable[[Tensor], Tensor], options: argparse.Namespace
) -> None:
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=4e-3, weight_decay=0.02, fused=True)
    steps = options.epochs * -(-len(real.images) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps, pct_start=0.2)
    for epoch in range(options.epochs):
        for rows in orders(real.labels).split(options.batch):
            images = real.images[rows]
            logits = classifier(images if options.no_jitter else jitter(images))
            loss = smoothed_loss(logits, real.labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {options.epochs}: loss of the last batch {loss.item():.4f}", flush=True)


def smoothed_loss(logits: Tensor, labels: Tensor) -> Tensor:
    if labels.ndim == 1:
        return cross_entropy(logits, labels, label_smoothing=SMOOTHING)
    return binary_cross_entropy_with_logits(logits, labels * (1 - SMOOTHING) + SMOOTHING / 2)


def jitter(images: Tensor) -> Tensor:
    """Rotate each image by up to 10 degrees, scale it by up to 10 % and shift it by up to 2 pixels."""
    count = len(images)
    angle = (torch.rand(count) * 2 - 1) * math.radians(10)
    scale = 1 + (torch.rand(count) * 2 - 1) * 0.1
    shift = (torch.rand(count, 2) * 2 - 1) * 2 / (images.shape[-1] / 2)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    rows = torch.stack([cosine, -sine, shift[:, 0], sine, cosine, shift[:, 1]], dim=1)
    grid = affine_grid(rows.view(count, 2, 3), list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


@torch.no_grad()
def standardise(classifier: ImageClassifier, images: Tensor) -> None:
    """Give each feature mean 0 and deviation 1 over the real training images."""
    classifier.eval()
    features = torch.cat([classifier.features(batch) for batch in images.split(1_000)])
    classifier.mean.copy_(features.mean(0))
    classifier.deviation.copy_(features.std(0))


def temperature(classifier: ImageClassifier, real: Labelled) -> float:
    """Return the divisor of the logits that makes real images' labels likeliest: Guo et al. 2017, section 4.2."""
    logits = predict(classifier, real.images).double()
    labels = real.labels if real.labels.ndim == 1 else real.labels.double()
    loss = cross_entropy if real.labels.ndim == 1 else binary_cross_entropy_with_logits

    def nats(logarithm: float) -> float:
        return loss(logits / math.exp(logarithm), labels).item()

    bounds = tuple(map(math.log, TEMPERATURES))
    return math.exp(minimize_scalar(nats, bounds=bounds, method="bounded").x)


@torch.no_grad()
def predict(classifier: ImageClassifier, images: Tensor) -> Tensor:
    """Return the logits of all images."""
    classifier.eval()
    return torch.cat([classifier(batch) for batch in images.split(1_000)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
