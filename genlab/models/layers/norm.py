"""Normalisation by name, as a list that holds the layer or nothing, so that it unpacks into a Sequential."""

from typing import Literal

from torch import nn

from genlab.models.layers.virtual_norm import VirtualBatchNorm

NormName = Literal["batch", "layer", "instance", "instance_plain", "virtual", "virtual_large", "none"]
VectorNormName = Literal["batch", "layer", "virtual", "virtual_large", "none"]  # one value has no instance to normalise

VIRTUAL = {
    "virtual": VirtualBatchNorm,
    "virtual_large": lambda features: VirtualBatchNorm(features, reference=256, sample=False),
}


def norm2d(name: NormName, channels: int) -> list[nn.Module]:
    """For [N, C, H, W]. `layer` takes a sample's values together (one group), `instance_plain` learns no scales."""
    if name == "none":
        return []
    layers = {
        "batch": nn.BatchNorm2d,
        "layer": lambda channels: nn.GroupNorm(1, channels),
        "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
        "instance_plain": nn.InstanceNorm2d,
    }
    return [(layers | VIRTUAL)[name](channels)]


def wants_bias(name: NormName) -> bool:
    """Of the convolution before it. One before `instance_plain` does nothing, but the published networks have it."""
    return name in ("none", "instance_plain")


def norm1d(name: VectorNormName, features: int) -> list[nn.Module]:
    """For [N, F]."""
    if name == "none":
        return []
    return [({"batch": nn.BatchNorm1d, "layer": nn.LayerNorm} | VIRTUAL)[name](features)]
