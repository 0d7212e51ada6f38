"""Normalisation by name, as a list that holds the layer or nothing, so that it unpacks into a Sequential."""

from typing import Literal

from torch import nn

NormName = Literal["batch", "layer", "instance", "none"]


def norm2d(name: NormName, channels: int) -> list[nn.Module]:
    """For [N, C, H, W]. `layer` takes all of a sample's values together (one group)."""
    return {
        "batch": lambda: [nn.BatchNorm2d(channels)],
        "layer": lambda: [nn.GroupNorm(1, channels)],
        "instance": lambda: [nn.InstanceNorm2d(channels, affine=True)],
        "none": lambda: [],
    }[name]()


def norm1d(name: Literal["batch", "layer", "none"], features: int) -> list[nn.Module]:
    """For [N, F]. There is no instance normalisation of one value."""
    return {"batch": lambda: [nn.BatchNorm1d(features)], "layer": lambda: [nn.LayerNorm(features)], "none": list}[
        name
    ]()
