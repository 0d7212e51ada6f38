"""What turns images into the features that scores are measured in."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from genlab.errors import ConfigError
from genlab.metrics.classifier import DigitClassifier
from genlab.spec import Spec

CLASSIFIER_WEIGHTS = Path(__file__).parent / "weights" / "mnist_classifier.safetensors"
READABLE = (1, 3, 4)  # channels that Inception can be shown


class Extractor(ABC):
    """Images, float [N, C, H, W] in [-1, 1] -> features, float32 [N, D]. The network loads when first needed."""

    name: str
    resize_rule: str  # how images reach the network's size
    device = torch.device("cpu")

    def __call__(self, images: Tensor) -> Tensor:
        with torch.no_grad(), _full_precision(self.device):
            return self._features(images.to(self.device, torch.float32)).float()

    def to(self, device: torch.device | str) -> Extractor:
        self.device = torch.device(device)
        self.network.to(self.device)
        return self

    @cached_property
    def network(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and training must not notice
            return self._load().eval().requires_grad_(False)

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the name, the resize rule and every weight."""
        digest = hashlib.sha256(f"{self.name} {self.resize_rule}".encode())
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.cpu().contiguous().numpy())
        return digest.hexdigest()

    @abstractmethod
    def check(self, spec: Spec) -> None:
        """Raises ConfigError if it cannot read such images, or if its weights cannot be loaded."""

    @abstractmethod
    def _load(self) -> nn.Module: ...

    @abstractmethod
    def _features(self, images: Tensor) -> Tensor: ...


def _full_precision(device: torch.device) -> ExitStack:
    """Float32 whatever training chose: neither autocast nor TF32 may change a score."""
    stack = ExitStack()
    stack.enter_context(torch.autocast(device.type, enabled=False))
    if device.type == "cuda":
        stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
    return stack


class Classifier(Extractor):
    """64 standardised features of a digit classifier that comes with genlab: quick, for MNIST's 1 x 28 x 28.

    Scores in them compare with each other, never with published ones, which are Inception's.
    """

    name = "mnist_classifier"
    resize_rule = "none"

    def classify(self, images: Tensor) -> Tensor:
        """Logits [N, 10]."""
        with torch.no_grad(), _full_precision(self.device):
            return self.network(images.to(self.device, torch.float32))

    def check(self, spec: Spec) -> None:
        native = spec.channels, spec.height - 2 * spec.padding, spec.width - 2 * spec.padding
        if native != (1, 28, 28):
            raise ConfigError(
                f"metrics.extractor is MNIST's classifier, and images are {' x '.join(map(str, native))}: it reads "
                "1 x 28 x 28 alone. Choose metrics/extractor=inception, or metrics=none to train without scores."
            )

    def _load(self) -> nn.Module:
        from safetensors.torch import load_file

        network = DigitClassifier()
        network.load_state_dict(load_file(CLASSIFIER_WEIGHTS))
        return network

    def _features(self, images: Tensor) -> Tensor:
        return self.network.features(images)


class Inception(Extractor):
    """The 2,048 features of the FID paper's Inception-v3 (Heusel et al. 2017), as torch-fidelity computes them.

    Grey images are shown as three equal channels; those with alpha are laid over white.
    """

    name = "inception_v3_2015"
    resize_rule = "bilinear as TensorFlow 1, 299 x 299"

    def __init__(self, weights: str | None = None) -> None:  # torch-fidelity's .pth file; null: downloaded once
        self.weights = weights

    def check(self, spec: Spec) -> None:
        if spec.channels not in READABLE:
            raise ConfigError(
                f"metrics.extractor is Inception, and images have {spec.channels} channels: it reads 1, 3 or 4 "
                "(grey, colour, colour with alpha). Train without scores: metrics=none."
            )
        _ = self.network  # missing weights are found before the first step

    def _load(self) -> nn.Module:
        from genlab.metrics.inception import load_inception

        return load_inception(self.weights)

    def _features(self, images: Tensor) -> Tensor:
        return self.network(to_colour(images))[0]


def to_colour(images: Tensor) -> Tensor:
    """Float [N, 1, 3 or 4, H, W] in [-1, 1] -> uint8 [N, 3, H, W]."""
    if images.shape[1] == 4:
        alpha = (images[:, 3:] + 1) / 2
        images = images[:, :3] * alpha + (1 - alpha)  # white is 1
    colour = images.expand(-1, 3, -1, -1)
    return ((colour + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
