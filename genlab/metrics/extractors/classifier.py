"""Small image classifier, whose features MNIST's scores are measured in; users train others like it."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genlab.core.tensor_file import read_safetensors

FEATURES = 64
FACTS = dict(data=str, shape=list, classes=list, accuracy=float)  # of a classifier, with their types


class ImageClassifier(nn.Module):
    """[N, C, H, W] in [-1, 1], from 8 pixels a side -> logits [N, classes].

    `features` returns the penultimate layer, [N, 64]: before its ReLU, so that no feature is dead, and standardised by
    mean and deviation over the real training images, so that each weighs the same in a Frechet distance.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int = 1, size: tuple[int, int] = (28, 28), classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_block(channels, 24), nn.MaxPool2d(2),  # 14 x 14 of digits
            *_block(24, 48), *_block(48, 64), nn.MaxPool2d(2),  # 7 x 7
            *_block(64, 64), nn.MaxPool2d(2), nn.Flatten(),  # 3 x 3
        )  # fmt: skip
        self.penultimate = nn.Linear(64 * (size[0] // 8) * (size[1] // 8), FEATURES)
        self.head = nn.Linear(FEATURES, classes)
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.penultimate(self.body(images)).relu())

    def features(self, images: Tensor) -> Tensor:
        return (self.penultimate(self.body(images)) - self.mean) / self.deviation

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits of the images whose features these are."""
        return self.head((features * self.deviation + self.mean).relu())


def read_classifier(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the facts and the weights in a file that `scripts/train_classifier.py` wrote.

    Raises ValueError for another file.
    """
    facts, weights = read_safetensors(path, "classifier")
    fits = all(isinstance(facts.get(name), kind) for name, kind in FACTS.items())
    if not fits or not is_shape(facts["shape"]) or not isinstance(facts.get("temperature", 1.0), float):
        raise ValueError("it says nothing of the images and classes that it knows")
    return facts, weights


def is_shape(found: list) -> bool:
    """Tell whether these are channels, height and width of images."""
    return len(found) == 3 and all(type(side) is int and 0 < side < 10_000 for side in found)


def _block(channels: int, out_channels: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, out_channels, kernel_size=3, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(out_channels), nn.ReLU()
