"""Frozen classifiers trained on ImageNet, as extractors of features at four resolutions."""

from collections.abc import Callable, Sequence
from itertools import takewhile

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.ops import FrozenBatchNorm2d

from genlab.core.errors import ConfigError
from genlab.core.types import Count, PretrainedWeights
from genlab.models.pretrained_weights import load_weights

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels in [0, 1], as in torchvision
RESOLUTIONS = 4
HEAD_LAYERS = nn.AdaptiveAvgPool2d, nn.Dropout, nn.Linear
KEY = "model.discriminator"


class PretrainedFeatures(nn.Module):
    """Images [N, 1, 3 or 4, H, W] in [-1, 1] -> four maps, each half as large as the one before.

    They are the last maps of each resolution in a torchvision classifier, whose layers (or those of its Sequentials)
    run one after another until it pools. Grey becomes three equal channels; alpha is composited over white. The
    network has no parameters: weights are buffers, batch normalisation is frozen, and training mode is never on.

    Raises ConfigError without weights, for weights that do not fit, and for a network of another kind.
    """

    def __init__(
        self,
        network: Callable[[], nn.Module],  # a model of torchvision.models
        weights: PretrainedWeights | None,  # a file with its state dict; `download`; or `random` initial ones
        size: Count | Sequence[Count],  # pixels a side of the network's input, or height and width
    ) -> None:
        super().__init__()
        model = network()
        if weights != "random":
            load_weights(model, weights, network, KEY)
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.stages = nn.ModuleList(resolution_stages(model.eval()))
        self.normalised = ImageNetNormalisation()
        freeze(self)
        with torch.no_grad():
            self.channels = [maps.shape[1] for maps in self(torch.zeros(1, 3, *self.size))]

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = [self.to_input(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]

    def to_input(self, images: Tensor) -> Tensor:
        return self.normalised(interpolate(composite_over_white(images), self.size, mode="bilinear"))

    def train(self, mode: bool = True) -> "PretrainedFeatures":
        return super().train(False)


class ImageNetNormalisation(nn.Module):
    """Images [N, 1 or 3, H, W] in [-1, 1] -> [N, 3, H, W], normalised by ImageNet's mean and standard deviation."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return ((images + 1) / 2 - self.mean) / self.std  # one channel becomes three


def composite_over_white(images: Tensor) -> Tensor:
    """Composite images with an alpha channel over white; return others as they are."""
    if images.shape[1] != 4:
        return images
    opacity = (images[:, 3:] + 1) / 2
    return images[:, :3] * opacity + (1 - opacity)  # white is 1


def resolution_stages(network: nn.Module) -> list[nn.Sequential]:
    """Return the layers up to each of the four smallest resolutions. Raises ConfigError for a network with fewer."""
    groups: dict[int, list[nn.Module]] = {}
    maps = torch.zeros(1, 3, 64, 64)
    try:
        with torch.no_grad():
            for layer in convolutional_layers(network):
                maps = layer(maps)
                groups.setdefault(maps.shape[3], []).append(layer)
    except (RuntimeError, TypeError, IndexError, AssertionError) as error:
        raise ConfigError(f"{KEY}.network: its layers cannot run one after another ({error}). {SUPPORTED}") from error
    if list(groups)[-RESOLUTIONS:] != [16, 8, 4, 2]:
        found = ", ".join(map(str, groups))
        raise ConfigError(f"{KEY}.network: maps of 64 x 64 pixels become {found}; expected 16, 8, 4, 2. {SUPPORTED}")
    *first, third, second, last = groups.values()
    return [nn.Sequential(*layers) for layers in (sum(first, []), third, second, last)]


SUPPORTED = "Choose an EfficientNet, ResNet, MobileNet, ConvNeXt or the like of torchvision.models."


def convolutional_layers(network: nn.Module) -> list[nn.Module]:
    """Return the layers before the network pools or classifies, those of a plain Sequential one by one."""
    layers: list[nn.Module] = []
    for child in [network.features] if hasattr(network, "features") else network.children():
        layers.extend(child if type(child) is nn.Sequential else [child])
    return list(takewhile(lambda layer: not isinstance(layer, HEAD_LAYERS), layers))


def freeze(network: nn.Module) -> None:
    """Turn parameters into buffers: checkpoints hold them, but no optimizer, average or gradient uses them."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, freeze_batch_norm(child))
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach())


def freeze_batch_norm(norm: nn.BatchNorm2d) -> FrozenBatchNorm2d:
    """Return the layer with fixed statistics, of a type that is not mistaken for one that mixes images."""
    layer = FrozenBatchNorm2d(norm.num_features, norm.eps)
    layer.load_state_dict(norm.state_dict())
    return layer
