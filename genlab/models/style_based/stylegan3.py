"""StyleGAN3's generator: Karras et al. 2021, "Alias-Free Generative Adversarial Networks".

Maps stand for continuous signals and no layer has access to absolute pixel positions, so that fine detail moves with
coarse shapes instead of sticking to the pixel grid. The discriminator is StyleGAN2's.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import ceil, log2
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Gt
from torch import Tensor, nn

from genlab.core import distributed
from genlab.core.errors import ConfigError
from genlab.core.spec import Spec
from genlab.core.types import Count, Positive, Share, Whole
from genlab.models.layers.filtered_nonlinearity import Band, FilteredLeakyReLU
from genlab.models.layers.fourier import FourierFeatures
from genlab.models.layers.mapping import Mapping, in_discriminator_turn
from genlab.models.layers.modulated import Form, ModulatedConv2d
from genlab.models.style_based.growing import side_of
from genlab.models.style_based.style_generator import StyleGenerator

FIRST_CUTOFF = 2.0  # of the first layer, in cycles over the side of the picture: section 3.1
OUTPUT_SCALE = 0.25  # of the last layer's output: appendix F.1
STOPBAND_RATIO = 2**0.3  # last layer's stopband over its cutoff: appendix F.1

Stopband = Annotated[float, Gt(FIRST_CUTOFF)]


class Generator(StyleGenerator):
    """(z [N, latent], condition=None) -> images [N, C, S, S], S a power of two from 8 to 1024; else ConfigError.

    With 3x3 convolutions the generator is equivariant to translations (StyleGAN3-T), with `kernel=1` and `radial` also
    to rotations (StyleGAN3-R). `transform` applies both to its input.

    The mean style and the magnitudes of maps are tracked in the discriminator's turn, as in the authors' code.
    """

    tracks_in_discriminator_turn: ClassVar[bool] = True

    def __init__(
        self,
        spec: Spec,
        latent_size: Count,
        *,
        width: Count = 64,  # channels of the finest maps; others have more, inversely proportional to their cutoff
        most: Count = 512,  # channels of any map
        kernel: Literal[1, 3] = 3,  # side of the convolutions
        radial: bool = False,  # radially symmetric filters after nonlinearities
        style_size: Count = 512,
        depth: Count = 2,  # layers of the mapping
        layers: Count | None = None,  # null: two for each octave of cutoffs, at most the paper's 14
        critical: Count = 2,  # last layers whose filters cut off as late as possible, for crisp images
        stopband: Stopband = 2**2.1,  # of the first layer's filter; a lower one is faster and less equivariant
        margin: Whole = 10,  # samples beyond the picture's edges, which keep border effects out of it
        taps: Count = 6,  # of filters, in samples of the lower rate
        clamp: Positive | None = None,  # bound on activations for 16-bit floats; the authors' code: 256
        form: Form = "plain",  # of modulated convolutions
        halflife: Positive = 20_000,  # of tracked magnitudes, in images of the discriminator's turns
        mixing: Share = 0.0,
        truncated_layers: Count | None = None,  # first layers that truncation changes; null: all
    ) -> None:
        side = side_of(spec)
        layers = min(2 * round(log2(side / 4)) + critical, 14) if layers is None else layers
        if layers <= critical:
            raise ConfigError(f"model.generator.layers={layers}: must be more than critical={critical}.")
        tracking = {"mean_decay": 0.998, "tracks_every_turn": False}
        mapping = Mapping(spec, latent_size, size=style_size, depth=depth, **tracking)
        super().__init__(mapping, layers=layers + 2, mixing=mixing, truncated_layers=truncated_layers)
        bands = list(plan_bands(side, layers, critical, stopband, margin))
        widths = [min(round(width * side / 2 / band.cutoff), most) for band in bands]
        self.input = FourierFeatures(style_size, widths[0], bands[0])
        self.blocks = nn.ModuleList()
        for index, (inputs, outputs) in enumerate(pairwise([widths[0], *widths])):
            symmetric = radial and index < layers - critical
            before = enlarge_band(bands[max(index - 1, 0)], kernel)
            finish = FilteredLeakyReLU(before, bands[index], taps=taps, radial=symmetric, clamp=clamp)
            shared = {"side": kernel, "padding": kernel - 1, "form": form}
            self.blocks.append(Layer(ModulatedConv2d(inputs, outputs, style_size, **shared), finish, halflife))
        last = ModulatedConv2d(widths[-1], spec.channels, style_size, 1, demodulate=False, form=form)
        self.blocks.append(Layer(last, nn.Identity(), halflife))

    def synthesis(self, styles: Tensor) -> Tensor:
        first, *others = styles.unbind(1)
        maps = self.input(first)
        for block, style in zip(self.blocks, others, strict=True):
            maps = block(maps, style)
        return maps * OUTPUT_SCALE

    @property
    def transform(self) -> Tensor:
        """Return the map from places in images to places in the input, [3, 3] or [N, 3, 3], one for each image.

        Coordinates are homogeneous (right, down, 1), from the centre, in sides of the image. The identity unless set.
        """
        return self.input.transform

    @transform.setter
    def transform(self, matrices: Tensor) -> None:
        self.input.transform = matrices


class Layer(nn.Module):
    """(maps, w [N, W]) -> maps: a modulated convolution of normalised maps, bias and activation."""

    def __init__(self, conv: ModulatedConv2d, finish: nn.Module, halflife: float) -> None:
        super().__init__()
        self.size = TrackedMagnitude(halflife)
        self.conv, self.finish = conv, finish
        self.bias = nn.Parameter(torch.zeros(len(conv.weight), 1, 1))

    def forward(self, maps: Tensor, w: Tensor) -> Tensor:
        scale = 1 / self.size(maps)
        return self.finish(torch.addcmul(self.bias, self.conv(maps, w), scale))


class TrackedMagnitude(nn.Module):
    """maps -> their root mean square [], tracked in discriminator turns: Karras et al. 2021, 3.1 and appendix F.1."""

    def __init__(self, halflife: float) -> None:  # in images
        super().__init__()
        self.halflife = halflife
        self.register_buffer("square", torch.ones(()))

    def forward(self, maps: Tensor) -> Tensor:
        if self.training and in_discriminator_turn():
            self.track(maps)
        return self.square.sqrt()

    @torch.no_grad()
    def track(self, maps: Tensor) -> None:
        norm = torch.linalg.vector_norm(maps, dtype=self.square.dtype)  # allocates no map of squares
        now = distributed.mean(norm.square() / maps.numel())
        self.square.lerp_(now, 1 - 0.5 ** (len(maps) * distributed.world_size() / self.halflife))


def plan_bands(side: int, layers: int, critical: int, stopband: float, margin: int) -> Iterator[Band]:
    """Yield the band of each layer's output: section 3.2, "flexible layer specifications", equations 35 and 36."""
    last = side / 2
    for layer in range(layers):
        progress = min(layer / (layers - critical), 1)
        cutoff = FIRST_CUTOFF * (last / FIRST_CUTOFF) ** progress
        stop = stopband * (last * STOPBAND_RATIO / stopband) ** progress
        rate = 2 ** ceil(log2(min(2 * stop, side)))
        size = side if layer == layers - 1 else rate + 2 * margin
        yield Band(rate, size, cutoff, max(stop, rate / 2) - cutoff)


def enlarge_band(band: Band, kernel: int) -> Band:
    """Return the band after a convolution without cropping, whose kernel enlarges the maps."""
    return replace(band, size=band.size + kernel - 1)
