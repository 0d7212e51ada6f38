"""StackGAN's networks, which make an image from words in stages, each twice as large as the one before.

Zhang et al. 2017 (StackGAN) make a small image from words, then a large one from it and the words again. As in Zhang
et al. 2019 (StackGAN++), section 4, the stages are one network, which passes on maps instead of images, and are trained
together, each with a discriminator of its own.

In training the generator returns the images of all stages in one tensor, the last one's channels first and then those
of the earlier ones, enlarged, so that losses, penalties and augmentations need not know of stages. `build_pyramid`
brings real images into that form. In evaluation the generator returns the last image.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count, Whole
from genlab.models.adversarial.dcgan import init_normal
from genlab.models.adversarial.discriminator import Discriminator as StageDiscriminator
from genlab.models.latent import Normal, refuse_other_size
from genlab.models.layers.first_and_last import FromVector
from genlab.models.layers.resample import UpsampleConv2d
from genlab.models.layers.residual import upsample_nearest
from genlab.models.layers.word_attention import ConditioningAugmentation, WordAttention
from genlab.models.map_sizes import LARGEST, SMALLEST, halvings


class Generator(nn.Module):
    """(z [N, noise + code_size], condition) -> images [N, stages * C, H, W] in [-1, 1]; in evaluation [N, C, H, W].

    Conditioning augmentation turns the condition into a code; its noise is part of z. The first stage makes maps from
    noise and code. A later one appends the code to every position, and with `attention` also the words attended to
    there, and doubles the side after residual blocks.

    Raises ConfigError for data without a condition and for sizes that the stages do not reach.
    """

    def __init__(
        self,
        spec: Spec,
        latent_size: int | None = None,  # None: the network sets the size of its noise
        *,
        width: Count = 16,  # channels of the largest map; doubled each time the side halves
        stages: Count = 2,  # images, each twice as large as the one before
        noise: Count = 100,  # size of the part of z that is not the code's noise
        code_size: Count = 64,  # size of the code made from the condition
        embedding_size: Count = 128,  # size of the condition's embedding, from which the code is made
        residuals: Whole = 2,  # residual blocks of a later stage
        attention: bool = False,  # later stages attend to single words: Xu et al. 2018 (AttnGAN)
    ) -> None:
        super().__init__()
        require_condition(spec)
        specs = stage_specs(spec, stages)
        innermost, doublings = innermost_of(specs[0])
        sizes = [width << level for level in reversed(range(doublings + stages))]
        self.channels, self.split = spec.channels, (noise, code_size)
        self.latent = Normal(noise + code_size)
        own = f"{self.latent.size} numbers, model.generator.noise and model.generator.code_size"
        refuse_other_size(latent_size, self.latent.size, f"this generator's noise has {own}.")
        self.augmentation = ConditioningAugmentation(spec, embedding_size, code_size)
        self.first = nn.Sequential(FromVector(noise + code_size, sizes[0], innermost, bias=False), *norm_relu(sizes[0]))
        for pair in pairwise(sizes[: doublings + 1]):
            self.first.extend(upsampling_layers(*pair))
        self.later = nn.ModuleList(
            Stage(*pair, code_size, residuals, WordAttention(spec, pair[0]) if attention else None)
            for pair in pairwise(sizes[doublings:])
        )
        self.pictures = nn.ModuleList(image_layers(size, spec.channels) for size in sizes[doublings:])
        self.apply(init_normal)

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        images = self.images(z, condition)
        return join_stages(images) if self.training else images[-1]

    def images(self, z: Tensor, condition: Tensor) -> list[Tensor]:
        """Return the images of every stage, small to large, [N, C, h, w] each."""
        noise, code_noise = z.split(self.split, dim=1)
        code = self.augmentation(condition, code_noise)
        maps = self.first(torch.cat([noise, code], dim=1)[:, :, None, None])
        images = [self.pictures[0](maps)]
        for stage, picture in zip(self.later, self.pictures[1:], strict=True):
            maps = stage(maps, code, condition)
            images.append(picture(maps))
        return images

    def conditioning(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the code, [N, code_size] each."""
        return self.augmentation.moments(condition)

    def build_pyramid(self, images: Tensor) -> Tensor:
        """Return images [N, C, H, W] with smaller copies, as the generator's images in training."""
        return pyramid(images, len(self.pictures))


class Stage(nn.Module):
    """(maps [N, in, H, W], code [N, K], condition) -> [N, out, 2H, 2W]."""

    def __init__(
        self, inputs: int, outputs: int, code_size: int, residuals: int, attention: WordAttention | None
    ) -> None:
        super().__init__()
        self.attention = attention
        context = code_size + (inputs if attention else 0)
        self.join = nn.Sequential(conv(inputs + context, inputs), *norm_relu(inputs))
        self.residuals = nn.Sequential(*(Residual(inputs) for _ in range(residuals)))
        self.up = nn.Sequential(*upsampling_layers(inputs, outputs))

    def forward(self, maps: Tensor, code: Tensor, condition: Tensor) -> Tensor:
        context = [code[:, :, None, None].expand(-1, -1, *maps.shape[2:])]
        if self.attention is not None:
            context.append(self.attention(maps, condition))
        return self.up(self.residuals(self.join(torch.cat([maps, *context], dim=1))))


class Residual(nn.Module):
    """[N, C, H, W] -> the same shape: two convolutions and a skip connection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = conv(channels, channels), nn.BatchNorm2d(channels)
        self.layers = nn.Sequential(conv(channels, channels), *norm_relu(channels), *last)

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps)


class Discriminator(nn.Module):
    """(images [N, stages * C, H, W], condition) -> logits [N, stages]: one discriminator for the images of each stage.

    Smaller copies of plain images [N, C, H, W] are made by averaging. Features are those of all stages, concatenated.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        stage: Callable[[Spec], StageDiscriminator],  # a discriminator for images of a stage's size
        stages: Count = 2,
    ) -> None:
        super().__init__()
        self.channels = spec.channels
        self.stages = nn.ModuleList(stage(given) for given in stage_specs(spec, stages))
        self.sizes = [judge.feature_size for judge in self.stages]
        self.feature_size = sum(self.sizes)

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return features [N, F]."""
        whole = pyramid(images, len(self.stages)) if images.shape[1] == self.channels else images
        pairs = zip(self.stages, split_stages(whole, self.channels), strict=True)
        return torch.cat([judge.features(part, condition) for judge, part in pairs], dim=1)

    def head(self, features: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return logits [N, stages] of features [N, F]."""
        pairs = zip(self.stages, features.split(self.sizes, dim=1), strict=True)
        return torch.stack([judge.head(part, condition) for judge, part in pairs], dim=1)

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.head(self.features(images, condition), condition)


def join_stages(images: Sequence[Tensor]) -> Tensor:
    """Return images of all stages, given small to large, as one tensor [N, stages * C, H, W], the largest first."""
    whole = []
    for image in images:
        whole = [image, *map(upsample_nearest, whole)]
    return torch.cat(whole, dim=1)


def split_stages(whole: Tensor, channels: int) -> list[Tensor]:
    """Invert `join_stages`, taking one pixel of each enlarged one, so that gradients are those of the small images."""
    parts = whole.split(channels, dim=1)
    return [part[:, :, :: 1 << level, :: 1 << level] for level, part in enumerate(parts)][::-1]


def pyramid(images: Tensor, stages: int) -> Tensor:
    """Return [N, stages * C, H, W]: images [N, C, H, W] and copies halved by averaging 2 x 2 pixels."""
    copies = [images]
    for _ in range(stages - 1):
        copies.insert(0, avg_pool2d(copies[0], 2))
    return join_stages(copies)


def stage_specs(spec: Spec, stages: int) -> list[Spec]:
    """Return the spec of every stage's images. Raises ConfigError for a size that cannot be halved so often."""
    spec.require_images()
    most = 1 << (stages - 1)
    if spec.height % most or spec.width % most:
        side = -(-max(spec.height, spec.width) // most) * most
        raise ConfigError(
            f"model.generator.stages={stages}: images of {spec.width} x {spec.height} pixels cannot be halved "
            f"{stages - 1} times. Set data.size={side}, or fewer stages."
        )
    factors = [most >> stage for stage in range(stages)]
    return [replace(spec, height=spec.height // factor, width=spec.width // factor) for factor in factors]


def innermost_of(spec: Spec) -> tuple[tuple[int, int], int]:
    """Return (height, width) of the first stage's smallest map, of 4 to 7 pixels a side, and how often it is doubled.

    Raises ConfigError for a size that halving does not bring there.
    """
    doublings = halvings(spec, LARGEST)
    size = spec.height >> doublings, spec.width >> doublings
    if not SMALLEST <= min(size) <= LARGEST:
        raise ConfigError(
            f"model.generator: its first stage makes images of {spec.width} x {spec.height} pixels, and halving must "
            "bring these to between 4 and 7. Set data.size=32 (or 28, 64, ...), or another model.generator.stages."
        )
    return size, doublings


def require_condition(spec: Spec) -> None:
    if not spec.condition_size:
        raise ConfigError(
            "this generator makes images of what it is told, and it is told nothing. Give words (data=mnist_words, or "
            "data.words=caption), numbers (data.conditions=FILE.npy) or classes, and set model.conditional=true."
        )


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


def norm_relu(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU()]


def upsampling_layers(inputs: int, outputs: int) -> list[nn.Module]:
    return [UpsampleConv2d(inputs, outputs, bias=False), *norm_relu(outputs)]


def image_layers(inputs: int, channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, channels, 3, padding=1), nn.Tanh())
