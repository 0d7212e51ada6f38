"""LPIPS, a perceptual distance of images: Zhang et al. 2018, equation 1, on VGG16. Its weights are given as files."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, normalize

from genlab.core.errors import ConfigError
from genlab.core.types import PretrainedWeights
from genlab.core.weights import read_weights
from genlab.models.pretrained_features import composite_over_white

LAYERS = (3, 8, 15, 22, 29)  # of VGG16's features: relu1_2, relu2_2, relu3_3, relu4_3, relu5_3
CHANNELS = (64, 128, 256, 512, 512)  # of these
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of values in [-1, 1], as published


class LPIPS(nn.Module):
    """(images [N, C, H, W] in [-1, 1], targets) -> distances [N]; sides are 16 pixels or more.

    Grey becomes three equal channels; alpha is composited over white. Nothing is trained. The weights of both files are
    random where `random` is given in their place, for tries.

    Raises ConfigError without files, and for files that hold other weights.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        weights: PretrainedWeights | None = None,  # a file: the weight of each feature
        *,
        vgg: PretrainedWeights | None = None,  # a file: VGG16, as torchvision has it
        key: str = "penalty.feature_decoding.distance",  # the config's, for errors
    ) -> None:
        super().__init__()
        self.files, self.key = {"weights": weights, "vgg": vgg}, key
        self.features = self._features().eval()
        self.linear = nn.ParameterList(self._linear())
        self.requires_grad_(False)
        self.register_buffer("shift", torch.tensor(SHIFT).view(3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1))

    def forward(self, images: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.maps(targets)
        pairs = zip(self.maps(images), wanted, self.linear, strict=True)
        return torch.stack([conv2d((a - b).square(), weight).mean((1, 2, 3)) for a, b, weight in pairs]).sum(0)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return five feature maps [N, C, h, w], of unit length at each place."""
        maps, found = (composite_over_white(images).expand(-1, 3, -1, -1) - self.shift) / self.scale, []
        for number, layer in enumerate(self.features):
            maps = layer(maps)
            found += [normalize(maps, dim=1, eps=1e-10)] if number in LAYERS else []
        return found

    def _features(self) -> nn.Sequential:
        from torchvision.models.vgg import cfgs, make_layers  # slow to import

        loaded = {} if self.files["vgg"] == "random" else self._read("vgg")
        with torch.random.fork_rng(devices=[]):  # drawing initial weights must not change training's random state
            network = make_layers(cfgs["D"])[: LAYERS[-1] + 1]  # without the classifier, nine tenths of the weights
        if not loaded:
            return network
        state = {name[9:]: part for name, part in loaded.items() if name.startswith("features.")}
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise ConfigError(f"{self._as_word('vgg')}: these are not the weights of VGG16. {self._hint}") from error
        return network

    def _linear(self) -> list[Tensor]:
        """Return the weight of each channel, [1, C, 1, 1] for each of the five maps."""
        if self.files["weights"] == "random":
            return [torch.full((1, channels, 1, 1), 1 / len(LAYERS)) for channels in CHANNELS]
        loaded = self._read("weights")
        try:
            found = [loaded[f"lin{level}.model.1.weight"].float() for level in range(len(LAYERS))]
            if [tuple(weight.shape) for weight in found] != [(1, channels, 1, 1) for channels in CHANNELS]:
                raise ValueError("they have other shapes")
            return found
        except (KeyError, ValueError) as error:
            raise ConfigError(
                f"{self._as_word('weights')}: these are not the weights of LPIPS. {self._hint}"
            ) from error

    @property
    def _hint(self) -> str:
        return (
            f"Give the published files: {self.key}.weights=FILE, the five linear layers (vgg.pth of LPIPS 0.1, or "
            f"torch-fidelity's weights-vgg16-lpips.pth), and {self.key}.vgg=FILE, torchvision's vgg16-397923af.pth."
        )

    def _as_word(self, name: str) -> str:
        return f"{self.key}.{name}={self.files[name] or 'null'}"

    def _read(self, name: str) -> dict[str, Any]:
        given = self.files[name]
        path = Path(given).expanduser() if given else None
        if not path or not path.is_file():
            reason = "there is no such file" if path else "no file is given"
            raise ConfigError(f"{self._as_word(name)}: {reason}. {self._hint}")
        return read_weights(path, self._as_word(name), self._hint)
