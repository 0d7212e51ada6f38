"""FastGAN's discriminator, with decoders that draw real images from its maps: Liu et al. 2021, section 3.2."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from genlab.core.spec import Spec
from genlab.core.types import Count
from genlab.models.adversarial.dcgan import init_normal
from genlab.models.adversarial.fastgan_generator import Excitation, copy_factor, plan_widths, shrink
from genlab.models.layers.norm import NormName, norm2d
from genlab.models.layers.resample import UpsampleConv2d
from genlab.models.map_sizes import halvings, innermost_map

LARGEST_LAST = 8  # pixels of the last maps' shorter side; smaller images are halved once all the same
BLOCKS = 5  # residual blocks at most; plain convolutions halve larger images before them
HALVINGS_APART = 3  # between a map and the one whose channels it scales; at most all
KERNEL = 4  # pixels a side of the last convolutions


class Discriminator(nn.Module):
    """(images, condition=None) -> logits [N, M]: of places in the last maps of the image and of its small copy.

    Images are those of the generator in training, [N, 2C, H, W], or plain ones [N, C, H, W], whose small copy is every
    second pixel (at 512 every fourth, at 1024 every eighth). Features are the maps that the decoders read: the last two
    of the image, and the last of the copy. The published code takes images of 256 pixels or more and halves them to 8;
    smaller ones have fewer blocks, those next to the last map. A condition's embedding is projected on the mean of both
    last maps (Miyato and Koyama 2018), which is an addition.
    """

    def __init__(self, spec: Spec, *, width: Count = 64, norm: NormName = "batch") -> None:
        super().__init__()
        innermost, halved = innermost_map(spec)[0], max(1, halvings(spec, LARGEST_LAST))
        self.channels, self.copy_factor = spec.channels, copy_factor(spec)
        copy_halved, blocks = halved - self.copy_factor.bit_length() + 1, min(halved, BLOCKS)
        widths = halved_widths(8 * width, blocks)
        before = halved_widths(8 * width, max(halved - 1, blocks))[: max(halved - blocks, 1)]
        self.first = plain_layers(spec.channels, before, norm, halve=halved > blocks)
        self.blocks = nn.ModuleList(HalvingBlock(*pair, norm) for pair in pairwise(widths))
        self.apart = min(HALVINGS_APART, blocks)
        excited = zip(widths, widths[self.apart :], strict=False)
        self.excitations = nn.ModuleList(Excitation(low, high, innermost) for low, high in excited)
        copy_widths = halved_widths(4 * width, max(copy_halved - 1, 0))
        self.copy_layers = plain_layers(spec.channels, copy_widths, norm, halve=copy_halved > 0)
        size = spec.height >> halved, spec.width >> halved
        self.shapes = [(widths[-2], 2 * size[0], 2 * size[1]), (widths[-1], *size), (copy_widths[-1], *size)]
        self.last, self.copy_last = last_layers(widths[-1], norm), conv(copy_widths[-1], 1, KERNEL, padding=0)
        drawn = plan_widths(max(1, width // 2), copy_halved + 1)[2:]
        self.decoders = nn.ModuleList(decoder(shape[0], drawn, spec.channels, norm) for shape in self.shapes)
        self.projection = None
        if spec.condition_size:
            self.projection = spec.condition.embedding(widths[-1] + copy_widths[-1])
            nn.init.normal_(self.projection.weight, std=(widths[-1] + copy_widths[-1]) ** -0.5)
        self.apply(init_normal)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the maps of `shapes`."""
        whole, copies = self.split_copies(images)
        maps = [self.first(whole)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
            level = len(maps) - 1 - self.apart
            if level >= 0:
                maps[-1] = maps[-1] * self.excitations[level](maps[level])
        return [*maps[-2:], self.copy_layers(copies)]

    def split_copies(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return images [N, C, H, W] and their small copies, taken from behind them where they are there."""
        copies = images[:, self.channels :] if images.shape[1] > self.channels else images
        return images[:, : self.channels], shrink(copies, self.copy_factor)

    def judge(self, maps: Sequence[Tensor], condition: Tensor | None) -> Tensor:
        _, last, copy_last = maps
        logits = torch.cat([self.last(last).flatten(1), self.copy_last(copy_last).flatten(1)], 1)
        if self.projection is None:
            return logits
        means = torch.cat([last.mean((2, 3)), copy_last.mean((2, 3))], 1)
        return logits + (self.projection(condition) * means).sum(1, keepdim=True)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features [N, F]."""
        return torch.cat([maps.flatten(1) for maps in self.maps(images)], 1)

    def split_features(self, features: Tensor) -> list[Tensor]:
        parts = features.split([torch.Size(shape).numel() for shape in self.shapes], 1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return logits [N, M] of features."""
        return self.judge(self.split_features(features), condition)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.judge(self.maps(images), condition)

    def decode(self, features: Tensor, images: Tensor, quarter: int) -> list[tuple[Tensor, Tensor]]:
        """Return what the decoders draw of features, each with the images to draw, all as small as the copies.

        One draws a quarter of the image, 0 to 3 row by row, from that quarter of the last but one map; the others the
        whole image from the last maps.
        """
        larger, *last = self.split_features(features)
        whole = images[:, : self.channels]
        quarters = cut_quarter(larger, quarter), shrink(cut_quarter(whole, quarter), self.copy_factor // 2)
        small = shrink(whole, self.copy_factor)
        drawn = [decode(maps) for decode, maps in zip(self.decoders, (quarters[0], *last), strict=True)]
        return list(zip(drawn, (quarters[1], small, small), strict=True))


class HalvingBlock(nn.Module):
    """[N, in, H, W] -> [N, out, H / 2, W / 2]: the mean of two convolutions and of a pooled one."""

    def __init__(self, inputs: int, outputs: int, norm: NormName) -> None:
        super().__init__()
        second = [conv(outputs, outputs, 3), *norm2d(norm, outputs), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*halving_layers(inputs, outputs, norm), *second)
        pooled = conv(inputs, outputs, 1), *norm2d(norm, outputs), nn.LeakyReLU(0.2)
        self.direct = nn.Sequential(nn.AvgPool2d(2), *pooled)

    def forward(self, maps: Tensor) -> Tensor:
        return (self.main(maps) + self.direct(maps)) / 2


def conv(inputs: int, outputs: int, side: int, **options: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, side, bias=False, **({"padding": side // 2} | options))


def halving_conv(inputs: int, outputs: int) -> nn.Conv2d:
    return conv(inputs, outputs, 4, stride=2, padding=1)


def halving_layers(inputs: int, outputs: int, norm: NormName) -> list[nn.Module]:
    return [halving_conv(inputs, outputs), *norm2d(norm, outputs), nn.LeakyReLU(0.2)]


def plain_layers(channels: int, widths: Sequence[int], norm: NormName, *, halve: bool) -> nn.Sequential:
    """Return a convolution of images, which halves the side or keeps it, and one that halves it for each next width."""
    first = halving_conv(channels, widths[0]) if halve else conv(channels, widths[0], 3)
    layers = nn.Sequential(first, nn.LeakyReLU(0.2))
    for pair in pairwise(widths):
        layers.extend(halving_layers(*pair, norm))
    return layers


def last_layers(width: int, norm: NormName) -> nn.Sequential:
    inner = [conv(width, 2 * width, 1), *norm2d(norm, 2 * width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*inner, conv(2 * width, 1, KERNEL, padding=0))


def halved_widths(last: int, count: int) -> list[int]:
    """Return the channels of `count` + 1 maps, the last one's at the end; each has half as many as the next."""
    return [max(1, last >> level) for level in reversed(range(count + 1))]


def decoder(inputs: int, widths: Sequence[int], channels: int, norm: NormName) -> nn.Sequential:
    """Double the side for each width, then draw images: [N, in, h, w] -> [N, channels, H, W] in [-1, 1]."""
    layers = nn.Sequential()
    for low, high in pairwise([inputs, *widths]):
        layers.extend([UpsampleConv2d(low, 2 * high, bias=False), *norm2d(norm, 2 * high), nn.GLU(dim=1)])
    return layers.extend([conv([inputs, *widths][-1], channels, 3), nn.Tanh()])


def cut_quarter(maps: Tensor, quarter: int) -> Tensor:
    """Return a quarter of maps [N, C, H, W], 0 to 3 row by row."""
    height, width = maps.shape[2] // 2, maps.shape[3] // 2
    top, left = height * (quarter // 2), width * (quarter % 2)
    return maps[:, :, top : top + height, left : left + width]
