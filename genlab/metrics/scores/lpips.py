"""LPIPS: perceptual distance of translated images to their partners. Its weights are given as files."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, normalize

from genlab.core.errors import ConfigError
from genlab.core.types import Amount, FilePath
from genlab.core.weights import read_weights
from genlab.metrics.extractors.extractor import full_precision
from genlab.metrics.references.reference import Reference
from genlab.metrics.scores.pair_distances import PairDistance
from genlab.metrics.trained_model import TrainedModel

LAYERS = (3, 8, 15, 22, 29)  # of VGG16's features: relu1_2, relu2_2, relu3_3, relu4_3, relu5_3
CHANNELS = (64, 128, 256, 512, 512)  # of their maps
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of values in [-1, 1], as published
HINT = (
    "Give the published files: metrics.metrics.lpips.weights=FILE, the five linear layers (vgg.pth of LPIPS 0.1, or "
    "torch-fidelity's weights-vgg16-lpips.pth), and metrics.metrics.lpips.vgg=FILE, torchvision's vgg16-397923af.pth."
)


class LPIPS(PairDistance):
    """`lpips`: Zhang et al. 2018, equation 1, on VGG16; lower is better. Grey images become three equal channels.

    Raises ConfigError, before anything is trained, without the files that hold its weights.
    """

    name = "lpips"
    min_side = 16  # VGG16 halves it four times

    def __init__(
        self,
        weights: FilePath | None = None,  # a file: the weight of each feature
        *,
        vgg: FilePath | None = None,  # a file: VGG16, as torchvision has it
        images: Amount = 10_000,  # at most, of the split that samples are made from
    ) -> None:
        super().__init__(images)
        self.files = {"weights": weights, "vgg": vgg}

    @property
    def settings(self) -> str:
        return f"VGG16; {super().settings}"

    def unfit_reason(self, reference: Reference, trained: TrainedModel | None) -> str | None:
        if reason := super().unfit_reason(reference, trained):
            return reason
        _ = self.features, self.linear  # missing weights fail before the first step
        return None

    @cached_property
    def features(self) -> nn.Sequential:
        from torchvision.models import vgg16  # slow to import

        with torch.random.fork_rng(devices=[]):  # drawing initial weights must not change training's random state
            network = vgg16(weights=None).features
        loaded = self._read("vgg")
        try:
            network.load_state_dict({name[9:]: part for name, part in loaded.items() if name.startswith("features.")})
        except RuntimeError as error:
            raise ConfigError(f"{self._key('vgg')}: these are not the weights of VGG16. {HINT}") from error
        return network.eval().requires_grad_(False)

    @cached_property
    def linear(self) -> list[Tensor]:
        """Return the weight of each channel, [1, C, 1, 1] for each of the five maps."""
        loaded = self._read("weights")
        try:
            found = [loaded[f"lin{level}.model.1.weight"].float() for level in range(len(LAYERS))]
            if [tuple(weight.shape) for weight in found] != [(1, channels, 1, 1) for channels in CHANNELS]:
                raise ValueError("they have other shapes")
            return found
        except (KeyError, ValueError) as error:
            raise ConfigError(f"{self._key('weights')}: these are not the weights of LPIPS. {HINT}") from error

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        pairs = zip(self.normalised_maps(images), self.normalised_maps(targets), self.linear, strict=True)
        with full_precision(images.device):
            found = [conv2d((a - b).square(), weight.to(a.device)).mean((1, 2, 3)) for a, b, weight in pairs]
        return torch.stack(found).sum(0)

    @torch.no_grad()
    def normalised_maps(self, images: Tensor) -> list[Tensor]:
        """Return five feature maps [N, C, h, w], of unit length at each place."""
        shift, scale = (torch.tensor(values, device=images.device).view(3, 1, 1) for values in (SHIFT, SCALE))
        maps, found = (images.float().expand(-1, 3, -1, -1) - shift) / scale, []
        with full_precision(images.device):
            for number, layer in enumerate(self.features.to(images.device)[: LAYERS[-1] + 1]):
                maps = layer(maps)
                found += [normalize(maps, dim=1, eps=1e-10)] if number in LAYERS else []
                maps = maps.clone() if number in LAYERS else maps  # the next ReLU works in place
        return found

    def _key(self, name: str) -> str:
        return f"metrics.metrics.lpips.{name}={self.files[name] or 'null'}"

    def _read(self, name: str) -> dict[str, Any]:
        path = self.files[name] and Path(self.files[name]).expanduser()
        if not path or not path.is_file():
            raise ConfigError(f"{self._key(name)}: {'there is no such file' if path else 'no file is given'}. {HINT}")
        return read_weights(path, self._key(name), HINT)
