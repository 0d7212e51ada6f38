"""Trains the digit classifier that MNIST's scores are measured with, on the training split alone.

python scripts/train_classifier.py [--out FILE] [--seed SEED] [--epochs EPOCHS]    (5 minutes on 2 CPU cores)
"""

import argparse
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

import genlab.metrics.classifier as package
from genlab.data.mnist import MNIST
from genlab.metrics.classifier import DigitClassifier

BATCH = 250
OUT = Path(package.__file__).parent / "weights" / "mnist_classifier.safetensors"


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(arguments.seed)
    data = MNIST()
    images, labels = to_float(data.train.images), data.train.labels
    classifier = DigitClassifier().to(memory_format=torch.channels_last)
    fit(classifier, images, labels, epochs=arguments.epochs)
    standardise(classifier, images)
    print(f"test accuracy {accuracy(classifier, to_float(data.test.images), data.test.labels):.2%}")
    save_file({name: value.contiguous() for name, value in classifier.state_dict().items()}, arguments.out)
    print(f"wrote {arguments.out}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    return parser.parse_args()


def to_float(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


def fit(classifier: DigitClassifier, images: Tensor, labels: Tensor, *, epochs: int) -> None:
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=4e-3, weight_decay=0.02, fused=True)
    steps = epochs * len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        for chosen in torch.randperm(len(images)).split(BATCH):
            loss = cross_entropy(classifier(jittered(images[chosen])), labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {epochs}: loss of the last batch {loss.item():.4f}", flush=True)


def jittered(images: Tensor) -> Tensor:
    """Rotated by up to 10 degrees, scaled by up to 10 % and shifted by up to 2 pixels, each on its own."""
    count = len(images)
    angle = (torch.rand(count) * 2 - 1) * math.radians(10)
    scale = 1 + (torch.rand(count) * 2 - 1) * 0.1
    shift = (torch.rand(count, 2) * 2 - 1) * 2 / (images.shape[-1] / 2)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    rows = torch.stack([cosine, -sine, shift[:, 0], sine, cosine, shift[:, 1]], dim=1)
    grid = affine_grid(rows.view(count, 2, 3), list(images.shape), align_corners=False)
    return grid_sample(images + 1, grid, align_corners=False) - 1  # +1: what comes in from outside is black


@torch.no_grad()
def standardise(classifier: DigitClassifier, images: Tensor) -> None:
    """Gives each feature mean 0 and deviation 1 over the real training images."""
    classifier.eval()
    features = torch.cat([classifier.features(batch) for batch in images.split(1_000)])
    classifier.mean.copy_(features.mean(0))
    classifier.deviation.copy_(features.std(0))


@torch.no_grad()
def accuracy(classifier: DigitClassifier, images: Tensor, labels: Tensor) -> float:
    classifier.eval()
    guesses = torch.cat([classifier(batch).argmax(1) for batch in images.split(1_000)])
    return (guesses == labels).double().mean().item()


if __name__ == "__main__":
    main()
