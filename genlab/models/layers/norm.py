"""Normalisation layers by name, as lists of one layer or none that unpack into a Sequential."""

from typing import Literal

from torch import nn

from genlab.models.layers.batch_norm import OwnBatchNorm2d
from genlab.models.layers.instance_norm import InstanceNorm2d
from genlab.models.layers.virtual_norm import VirtualBatchNorm

NormName = Literal["batch", "layer", "instance", "instance_plain", "virtual", "virtual_large", "none"]
VectorNormName = Literal["batch", "layer", "virtual", "virtual_large", "none"]  # one value has no instance to normalise

VIRTUAL_NORMS = {
    "virtual": VirtualBatchNorm,
    "virtual_large": lambda features: VirtualBatchNorm(features, reference=256, sample=False),
}


def norm2d(name: NormName | Literal["batch_own"], channels: int) -> list[nn.Module]:
    """Return a normalisation of [N, C, H, W].

    `layer` is over a whole image, `instance_plain` learns no scales, and `batch_own` is `OwnBatchNorm2d`.
    """
    if name == "none":
        return []
    layers = {
        "batch": nn.BatchNorm2d,
        "batch_own": OwnBatchNorm2d,
        "layer": lambda channels: nn.GroupNorm(1, channels),
        "instance": lambda channels: InstanceNorm2d(channels, affine=True),
        "instance_plain": InstanceNorm2d,
    }
    return [(layers | VIRTUAL_NORMS)[name](channels)]


def wants_bias(name: NormName) -> bool:
    """Return whether the convolution before has a bias: published ones do before `instance_plain`, without effect."""
    return name in ("none", "instance_plain")


def norm1d(name: VectorNormName, features: int) -> list[nn.Module]:
    """Return a normalisation of [N, F]."""
    if name == "none":
        return []
    return [({"batch": nn.BatchNorm1d, "layer": nn.LayerNorm} | VIRTUAL_NORMS)[name](features)]
