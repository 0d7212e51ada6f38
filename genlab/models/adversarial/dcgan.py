"""DCGAN's convolutional networks: Radford, Metz and Chintala 2016."""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial import discriminator as base
from genlab.models.layers.concatenation import ConcatenatedMaps, Concatenation
from genlab.models.layers.first_and_last import FromVector
from genlab.models.layers.minibatch import MinibatchName
from genlab.models.layers.norm import NormName, norm2d
from genlab.models.layers.resample import UpsampleConv2d
from genlab.models.map_sizes import innermost_map


class Generator(nn.Module):
    """(z [N, latent], condition=None) -> images [N, C, H, W] in [-1, 1]: doubles the side until it is the data's.

    An embedded condition is appended to z.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 64,  # channels of the largest map; doubled each time the side halves
        upsampling: Literal["transposed", "nearest"] = "transposed",
        norm: NormName = "batch",
    ) -> None:
        super().__init__()
        innermost, halvings = innermost_map(spec)
        sizes = [width << level for level in reversed(range(halvings))]
        self.condition = Concatenation(spec)
        first = FromVector(latent_size + self.condition.extra, sizes[0], innermost, bias=False)
        self.layers = nn.Sequential(first, *norm2d(norm, sizes[0]), nn.ReLU())
        for inputs, outputs in pairwise(sizes):
            self.layers.extend([doubling_layer(inputs, outputs, upsampling), *norm2d(norm, outputs), nn.ReLU()])
        self.layers.extend([doubling_layer(sizes[-1], spec.channels, upsampling), nn.Tanh()])
        self.apply(init_normal)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.layers(self.condition(z, condition)[:, :, None, None])


class Discriminator(base.Discriminator):
    """(images [N, C, H, W], condition=None) -> logits [N]: halves the side until 4 to 7 pixels are left.

    Features are the last maps, flattened position by position.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        width: Count = 64,
        norm: NormName = "batch",
        minibatch: MinibatchName = "none",
        outputs: Count = 1,
        condition: base.ConditionName = "projection",
    ) -> None:
        (height, breadth), halvings = innermost_map(spec)
        sizes = [width << level for level in range(halvings)]
        shared = {"minibatch": minibatch, "outputs": outputs, "projection": condition == "projection"}
        super().__init__(spec, sizes[-1] * height * breadth, bias=False, **shared)
        self.maps = ConcatenatedMaps(spec if condition == "concatenation" else spec.unconditional)
        self.layers = nn.Sequential(halving_layer(spec.channels + self.maps.extra, sizes[0]), nn.LeakyReLU(0.2))
        for inputs, outs in pairwise(sizes):
            self.layers.extend([halving_layer(inputs, outs), *norm2d(norm, outs), nn.LeakyReLU(0.2)])
        self.apply(init_normal)
        nn.init.normal_(self.last.weight, std=0.02)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        maps = self.layers(self.maps(images, condition))
        return maps.permute(0, 2, 3, 1).flatten(1)  # no copy in channels_last


def doubling_layer(inputs: int, outputs: int, upsampling: str) -> nn.Module:
    if upsampling == "nearest":
        return UpsampleConv2d(inputs, outputs, bias=False)
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)


def halving_layer(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)


def init_normal_zero_bias(module: nn.Module) -> None:
    """Initialise like `init_normal`, and set biases to 0: the code of Isola et al. 2017 and Zhu et al. 2017."""
    init_normal(module)
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and module.bias is not None:
        nn.init.zeros_(module.bias)


def init_normal(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02), scales of batch normalisation from N(1, 0.02): Radford et al. 2016, section 4."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, mean=1.0, std=0.02)
