"""Train a small classifier on the training split: the bundled one, whose features MNIST's scores use, or your own.

python scripts/train_classifier.py                                        (the bundled one; 5 minutes on 2 CPU cores)
python scripts/train_classifier.py data=folder data.root=PATH data.size=32 data.test_share=0.1 --out FILE --epochs 30

Words with `=` are those of genlab.train and choose the data, which must have classes and a test split. Scores use FILE
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
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

from genlab.build import instantiate as build
from genlab.cli.command import exit_code_of
from genlab.cli.composition import compose
from genlab.core.errors import ConfigError
from genlab.core.pixels import to_float
from genlab.data import InMemory, Split
from genlab.metrics.extractors.classifier import ImageClassifier
from genlab.metrics.extractors.digit_classifier import CLASSIFIER_WEIGHTS

OUT = CLASSIFIER_WEIGHTS
TEMPERATURES = 0.05, 20.0  # searched: without any error on these images, 0 would be best


class Labelled(NamedTuple):
    images: Tensor  # float [N, C, H, W] in [-1, 1]
    labels: Tensor  # int64 [N]


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    return exit_code_of(lambda: train(options))


def train(options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    data = build.dataset(compose("train", options.words)["data"])
    real, test = labelled_images(data, data.train), labelled_images(data, data.test)
    classifier = ImageClassifier(real.images.shape[1], tuple(real.images.shape[2:]), data.spec.class_count)
    orders = balanced_rows if options.balanced else shuffled_rows
    fit(classifier.to(memory_format=torch.channels_last), real, orders, epochs=options.epochs, batch=options.batch)
    standardise(classifier, real.images)
    found = classifier_facts(data, classifier, test) | {"temperature": temperature(classifier, real)}
    weights = {name: value.contiguous() for name, value in classifier.state_dict().items()}
    save_file(weights, options.out, metadata={"classifier": json.dumps(found)})
    print(f"test accuracy {found['accuracy']:.2%}, mean over classes {found['balanced_accuracy']:.2%}")
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
    options = parser.parse_intermixed_args(arguments)
    if options.words and options.out is None:
        parser.error("--out FILE is needed with data of your own")
    options.out = options.out or OUT
    return options


def labelled_images(data: InMemory, split: Split | None) -> Labelled:
    """Return the images whose class is known. Raises ConfigError without classes or without such a split."""
    if split is None or split.labels is None or split.labels.ndim != 1:
        raise ConfigError(
            f"{data.name}: a classifier needs classes and a test split. Choose labelled data; of a folder of class "
            "folders data.test_share=0.1 is held out."
        )
    rows = split.labels >= 0
    return Labelled(to_float(data.spec.crop(split.images[rows])), split.labels[rows])


def classifier_facts(data: InMemory, classifier: ImageClassifier, test: Labelled) -> dict[str, Any]:
    right = (predict(classifier, test.images) == test.labels).double()
    shares = [right[test.labels == label].mean().item() for label in test.labels.unique()]
    return {
        "data": data.name,
        "shape": list(test.images.shape[1:]),
        "classes": data.class_names or list(map(str, range(data.spec.class_count))),
        "images": len(data.train.images),
        "test_images": len(right),
        "accuracy": right.mean().item(),
        "balanced_accuracy": sum(shares) / len(shares),
    }


def shuffled_rows(labels: Tensor) -> Tensor:
    return torch.randperm(len(labels))


def balanced_rows(labels: Tensor) -> Tensor:
    """Return as many random rows, with all classes equally likely."""
    return torch.multinomial(1 / torch.bincount(labels)[labels].double(), len(labels), replacement=True)


def fit(
    classifier: ImageClassifier, real: Labelled, orders: Callable[[Tensor], Tensor], *, epochs: int, batch: int
) -> None:
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=4e-3, weight_decay=0.02, fused=True)
    steps = epochs * -(-len(real.images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        for rows in orders(real.labels).split(batch):
            logits = classifier(jitter(real.images[rows]))
            loss = cross_entropy(logits, real.labels[rows], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {epochs}: loss of the last batch {loss.item():.4f}", flush=True)


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
    """Return the divisor of the logits that makes real images' classes likeliest: Guo et al. 2017, section 4.2."""
    logits = predict_logits(classifier, real.images).double()

    def nats(logarithm: float) -> float:
        return cross_entropy(logits / math.exp(logarithm), real.labels).item()

    bounds = tuple(map(math.log, TEMPERATURES))
    return math.exp(minimize_scalar(nats, bounds=bounds, method="bounded").x)


def predict(classifier: ImageClassifier, images: Tensor) -> Tensor:
    return predict_logits(classifier, images).argmax(1)


@torch.no_grad()
def predict_logits(classifier: ImageClassifier, images: Tensor) -> Tensor:
    classifier.eval()
    return torch.cat([classifier(batch) for batch in images.split(1_000)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
