"""Frozen networks that were trained on ImageNet, as maps of four resolutions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchvision.ops import FrozenBatchNorm2d

from genlab.core.errors import ConfigError
from genlab.core.types import Count
from genlab.models.pretrained_weights import load

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels in [0, 1]: what torchvision trains with
RESOLUTIONS = 4
ENDS = nn.AdaptiveAvgPool2d, nn.Dropout, nn.Linear
KEY = "model.discriminator"


class Pretrained(nn.Module):
    """Images [N, 1, 3 or 4, H, W] in [-1, 1] -> four maps, each half as large as the one before.

    They are the last ones of each resolution in a classifier of torchvision's kind: its layers, or those of its
    Sequentials, one after another until it pools. Grey is shown as three equal channels, alpha over white. Nothing in
    it is a parameter: weights are buffers, batch normalisation has fixed statistics, and it never is in training mode.

    Raises ConfigError without weights, for those that do not fit, and for a network of another kind.
    """

    def __init__(
        self,
        network: Callable[[], nn.Module],  # a model of torchvision.models
        weights: str | None,  # its state dict in a file; `download`; or `random`, as it starts
        size: Count,  # pixels a side that it is shown
    ) -> None:
        super().__init__()
        model = network()
        if weights != "random":
            load(model, weights, network, KEY)
        self.size, self.stages = size, nn.ModuleList(stages(model.eval()))
        self.normalised = Normalised()
        freeze(self)
        with torch.no_grad():
            self.channels = [maps.shape[1] for maps in self(torch.zeros(1, 3, size, size))]

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = [self.shown(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]

    def shown(self, images: Tensor) -> Tensor:
        return self.normalised(interpolate(opaque(images), (self.size, self.size), mode="bilinear"))

    def train(self, mode: bool = True) -> Pretrained:
        return super().train(False)


class Normalised(nn.Module):
    """Images [N, 1 or 3, H, W] in [-1, 1] -> [N, 3, H, W] with the moments that torchvision trains with."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return ((images + 1) / 2 - self.mean) / self.std  # one channel becomes three


def opaque(images: Tensor) -> Tensor:
    """Over white, where there is a fourth channel."""
    if images.shape[1] != 4:
        return images
    opacity = (images[:, 3:] + 1) / 2
    return images[:, :3] * opacity + (1 - opacity)  # white is 1


def stages(network: nn.Module) -> list[nn.Sequential]:
    """The layers up to each of the four smallest resolutions. Raises ConfigError for a network that has not so many."""
    groups: dict[int, list[nn.Module]] = {}
    maps = torch.zeros(1, 3, 64, 64)
    try:
        with torch.no_grad():
            for layer in trunk(network):
                maps = layer(maps)
                groups.setdefault(maps.shape[3], []).append(layer)
    except (RuntimeError, TypeError, IndexError, AssertionError) as error:
        raise ConfigError(f"{KEY}.network: its layers cannot run one after another ({error}). {KINDS}") from error
    if list(groups)[-RESOLUTIONS:] != [16, 8, 4, 2]:
        found = ", ".join(map(str, groups))
        raise ConfigError(f"{KEY}.network: maps of 64 x 64 pixels become {found}; expected 16, 8, 4, 2. {KINDS}")
    *first, third, second, last = groups.values()
    return [nn.Sequential(*layers) for layers in (sum(first, []), third, second, last)]


KINDS = "Choose an EfficientNet, ResNet, MobileNet, ConvNeXt or the like of torchvision.models."


def trunk(network: nn.Module) -> list[nn.Module]:
    """Its `features`, or the layers before it pools or classifies; a plain Sequential counts as the layers in it."""
    layers: list[nn.Module] = []
    for child in [network.features] if hasattr(network, "features") else network.children():
        layers.extend(child if type(child) is nn.Sequential else [child])
    return list(takewhile(lambda layer: not isinstance(layer, ENDS), layers))


def freeze(network: nn.Module) -> None:
    """Parameters become buffers: no optimizer, average or gradient sees them, and checkpoints hold them."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, frozen(child))
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach())


def frozen(norm: nn.BatchNorm2d) -> FrozenBatchNorm2d:
    """One that no check for batch normalisation mistakes for a layer that mixes images."""
    layer = FrozenBatchNorm2d(norm.num_features, norm.eps)
    layer.load_state_dict(norm.state_dict())
    return layer
