"""Extractor: the interface from images to the features that scores are measured in, and Inception's."""

import hashlib
from abc import ABC, abstractmethod
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.pixels import as_saved, to_float, to_uint8
from genlab.core.spec import Spec
from genlab.core.types import FilePath
from genlab.data.dataset import Split

INCEPTION_CHANNELS = (1, 3, 4)  # grey, colour, colour with alpha
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"  # as torch-fidelity's address ends


class Extractor(ABC):
    """Maps float images [N, C, H, W] in [-1, 1] to features, float32 [N, D]. The network loads when first needed."""

    name: str
    resize_rule: str  # how images reach the network's size
    score = "classifier_score"  # the name of the Inception Score over its classes
    device = torch.device("cpu")

    @property
    def temperature(self) -> float | None:
        """Return what the classes' logits are divided by, for probabilities that are right as often as they say.

        None: the outputs are taken as they are. It changes no feature, and no `identity`: Guo et al. 2017, section 4.2.
        """
        return None

    def __call__(self, images: Tensor) -> Tensor:
        with torch.no_grad(), full_precision(self.device):
            return self._features(images.to(self.device, torch.float32)).float()

    def differentiable(self, images: Tensor) -> Tensor:
        """Return the features with a gradient. Raises ConfigError if they have none."""
        features = self._features(images)
        if images.requires_grad and not features.requires_grad:
            raise ConfigError(f"{self.name}: looks at whole grey levels, so its features have no gradient.")
        return features

    def to(self, device: torch.device | str) -> "Extractor":
        self.device = torch.device(device)
        self.network.to(self.device)
        return self

    @cached_property
    def network(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):  # drawing initial weights must not change training's random state
            return self._load().eval().requires_grad_(False)

    @cached_property
    def identity(self) -> str:
        """Return the SHA-256 of what makes the features: the name, the resize rule and every weight."""
        digest = hashlib.sha256(f"{self.name} {self.resize_rule}".encode())
        for name, value in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.cpu().contiguous().numpy())
        return digest.hexdigest()

    @property
    def missing(self) -> str | None:
        """Return why there are no features on this machine, which is no mistake; None if there are."""
        return None

    @abstractmethod
    def check(self, spec: Spec) -> None:
        """Raise ConfigError if it cannot read such images, or if its weights cannot be loaded."""

    def check_reading(self, split: Split, spec: Spec) -> None:
        """Raise ConfigError if it can read these images, but mistakes what they show."""
        return None

    def labels(self, features: Tensor) -> Tensor | None:
        """Return the data's class that each image shows, int64 [N], from features [N, D]; None if it knows none."""
        return None

    def logits(self, features: Tensor) -> Tensor | None:
        """Return the logits [N, K] of the classes it knows, calibrated, from features [N, D]; None if it knows none."""
        return None

    @abstractmethod
    def _load(self) -> nn.Module: ...

    @abstractmethod
    def _features(self, images: Tensor) -> Tensor: ...


def full_precision(device: torch.device) -> ExitStack:
    """Compute in float32 whatever training chose: neither autocast nor TF32 may change a score."""
    stack = ExitStack()
    stack.enter_context(torch.autocast(device.type, enabled=False))
    if device.type == "cuda":
        stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
    return stack


class Coordinates(Extractor):
    """The coordinates of points as features, in the data's own units."""

    name = "coordinates"
    resize_rule = "none"

    def check(self, spec: Spec) -> None:
        if spec.height is not None:
            raise ConfigError("metrics=points measures points, and the data are images: choose metrics=quick or none.")

    def _load(self) -> nn.Module:
        return nn.Identity()

    def _features(self, images: Tensor) -> Tensor:
        return images


def require_images(spec: Spec) -> None:
    """Raise ConfigError for points."""
    if spec.height is None:
        raise ConfigError("metrics.extractor reads images, and the data are points: choose metrics=points or none.")


class Inception(Extractor):
    """The 2,048 features of the FID paper's Inception-v3 (Heusel et al. 2017), as torch-fidelity computes them.

    Grey images become three equal channels; images with alpha are composited on white.
    """

    name = "inception_v3_2015"
    score = "inception_score"
    resize_rule = "bilinear as TensorFlow 1, 299 x 299"

    def __init__(self, weights: Literal["at_hand"] | FilePath | None = None) -> None:
        """`weights`: torch-fidelity's .pth file; null: downloaded once; at_hand: that download if made before."""
        self.weights = weights

    @property
    def missing(self) -> str | None:
        file = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
        if self.weights != "at_hand" or file.is_file():
            return None
        return f"Inception's weights are not at hand ({file}); metrics.extractor.weights=null downloads them"

    def check(self, spec: Spec) -> None:
        require_images(spec)
        if spec.channels not in INCEPTION_CHANNELS:
            raise ConfigError(
                f"metrics.extractor is Inception, and images have {spec.channels} channels: it reads 1, 3 or 4 "
                "(grey, colour, colour with alpha). Train without scores: metrics=none."
            )
        _ = self.network  # missing weights fail before the first step

    def logits(self, features: Tensor) -> Tensor:
        """Return ImageNet's 1,008 outputs without their bias, which published Inception Scores leave out."""
        with torch.no_grad(), full_precision(self.device):
            return features.to(self.device) @ self.network.fc.weight.T

    def _load(self) -> nn.Module:
        from genlab.metrics.extractors.inception import load_inception

        return load_inception(None if self.weights == "at_hand" else self.weights)

    def _features(self, images: Tensor) -> Tensor:
        return self.network(to_colour(images))[0]


def to_colour(images: Tensor) -> Tensor:
    """Convert float images [N, 1 or 3 or 4, H, W] in [-1, 1] to uint8 [N, 3, H, W]."""
    if images.shape[1] == 4:
        alpha = (images[:, 3:] + 1) / 2
        images = images[:, :3] * alpha + (1 - alpha)  # white is 1
    colour = images.expand(-1, 3, -1, -1)
    return to_uint8(colour)


def samples_as_measured(samples: Tensor, spec: Spec) -> Tensor:
    """Return generated images cropped and as saved, or points in the data's own units."""
    return samples.float() * spec.scale if spec.height is None else as_saved(spec.crop(samples))


def data_as_measured(images: Tensor, spec: Spec) -> Tensor:
    """Return stored images cropped and in [-1, 1], or points as they are."""
    return images if spec.height is None else to_float(spec.crop(images))
