"""The U-Net of pix2pix: Isola et al. 2017, sections 3.2.1 and 6.1.1."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count, ProperShare
from genlab.models.adversarial.dcgan import init_normal_zero_bias
from genlab.models.latent import EmptyLatent, Uniform, refuse_other_size
from genlab.models.layers.norm import norm2d
from genlab.models.map_sizes import halvings

NormName = Literal["batch", "batch_own", "instance", "none"]

WIDEST = 8  # largest width, as a multiple of the outermost map's
DROPOUTS = 3  # innermost blocks with dropout


class UNet(nn.Module):
    """(z [N, latent.size], source [N, S, H, W]) -> images [N, C, H, W] in [-1, 1].

    The side is halved `depth` times, or until it is 1 or odd, and doubled again; skip connections concatenate maps of
    the same size. The noise is dropout, at sampling too (section 3.1): `latent` has one number for each value that can
    be dropped. Sources of other sizes are accepted if both sides are multiples of `side_multiple`.

    Raises ConfigError for data without sources, sources of another size than images, and a size that cannot be halved
    twice.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: int | None = None,  # None: the network sets the size of its noise
        *,
        width: Count = 64,  # channels of the largest map; doubled each time the side halves, up to 8 times
        depth: Count | None = None,  # number of halvings; null: as many as possible
        norm: NormName = "batch",  # batch_own: sampling uses an image's own moments, as training in batches of one does
        dropout: ProperShare = 0.5,  # in the innermost three blocks on the way up; 0: no noise
    ) -> None:
        super().__init__()
        levels = depth_of(spec, depth)
        sizes = [width * min(WIDEST, 2**level) for level in range(levels)]
        self.side_multiple = 2**levels
        channels = spec.require_source().input_channels
        self.downs = nn.ModuleList([down_layers(channels, sizes[0], norm="none", first=True)])
        self.downs.extend(down_layers(*pair, norm=norm) for pair in pairwise(sizes[:-1]))
        self.downs.append(down_layers(*sizes[-2:], norm="none"))
        inputs = [sizes[-1], *(2 * size for size in sizes[-2:0:-1])]
        self.ups = nn.ModuleList(
            Up(*pair, (spec.height >> level, spec.width >> level), norm, dropout if levels - level <= DROPOUTS else 0.0)
            for level, *pair in zip(range(levels - 1, 0, -1), inputs, sizes[-2::-1], strict=True)
        )
        self.last = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * sizes[0], spec.channels, 4, 2, 1), nn.Tanh())
        noise = sum(block.noise for block in self.ups)
        self.latent = Uniform(noise) if noise else EmptyLatent()
        refuse_other_size(latent_size, noise, "the noise of a U-Net is its dropout (none: model.generator.dropout=0).")
        self.apply(init_normal_zero_bias)

    def forward(self, z: Tensor, source: Tensor) -> Tensor:
        maps, skips = source, []
        for block in self.downs:
            maps = block(maps)
            skips.append(maps)
        skips.pop()  # the innermost has no skip connection
        for block, noise in zip(self.ups, z.split([block.noise for block in self.ups], 1), strict=True):
            maps = torch.cat([block(maps, noise), skips.pop()], 1)
        return self.last(maps)


class Up(nn.Module):
    """(maps [N, in, H, W], z [N, noise]) -> [N, out, 2H, 2W]: CD of the paper, C without dropout."""

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int], norm: NormName, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), *norm2d(norm, outputs)
        )
        self.dropout = LatentDropout(outputs, *size, dropout) if dropout else None
        self.noise = self.dropout.size if dropout else 0

    def forward(self, maps: Tensor, z: Tensor) -> Tensor:
        maps = self.layers(maps)
        return maps if self.dropout is None else self.dropout(maps, z)


class LatentDropout(nn.Module):
    """(maps [N, C, H, W], z [N, size]) -> maps with a share of values dropped to 0 and the others scaled up.

    A value is dropped where its number in z, uniform in [-1, 1], is below a threshold. So the mask depends on z alone,
    in training and at sampling, and not on the rest of the batch. Maps larger than those that the layer was made for
    repeat the mask.
    """

    def __init__(self, channels: int, height: int, width: int, share: ProperShare = 0.5) -> None:
        super().__init__()
        self.shape, self.share = (channels, height, width), share
        self.size = channels * height * width

    def forward(self, maps: Tensor, z: Tensor) -> Tensor:
        kept = (z >= 2 * self.share - 1).unflatten(1, self.shape)
        times = [-(-size // own) for size, own in zip(maps.shape[2:], self.shape[1:], strict=True)]
        if times != [1, 1]:
            kept = kept.repeat(1, 1, *times)
        kept = kept[..., : maps.shape[2], : maps.shape[3]]
        return maps * (kept.to(maps.dtype) / (1 - self.share))


def depth_of(spec: Spec, asked: int | None) -> int:
    spec.require_images()
    spec.require_source_of_its_size()
    most = halvings(spec, 1)
    if most < 2 or (asked is not None and not 2 <= asked <= most):
        wanted = "" if asked is None else f"model.generator.depth={asked}: "
        side = -(-max(spec.height, spec.width) // 32) * 32
        raise ConfigError(
            f"{wanted}images of {spec.width} x {spec.height} pixels can be halved {most} times, and a U-Net does so "
            f"twice at least. Set data.size={side}."
        )
    return asked or most


def down_layers(inputs: int, outputs: int, *, norm: NormName, first: bool = False) -> nn.Module:
    """Halve the side: C of the paper with its activation first, so that skip connections carry linear maps."""
    activation = [] if first else [nn.LeakyReLU(0.2)]
    return nn.Sequential(*activation, nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), *norm2d(norm, outputs))
